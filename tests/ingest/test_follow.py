"""Files that arrive in a followed folder are in once, whatever happens meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import neo4j
import pytest
from filelock import FileLock

from recsys.graph.check import check_graph
from recsys.graph.client import Graph
from recsys.graph.follows import follow_id
from recsys.graph.ledger import Chunk, write_chunk
from recsys.graph.neo4j_errors import GraphUnreachableError
from recsys.ingest.clean import CLICKS
from recsys.ingest.clicks import load_clicks
from recsys.ingest.follow import FollowedAlreadyError, Following, Step, follow
from recsys.ingest.job import Job
from recsys.ingest.summary import Summary

Told = list[Step]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder."""
    path = tmp_path / "arriving"
    path.mkdir()
    return path


@pytest.fixture
def told() -> Told:
    """What was told, step by step."""
    return []


@pytest.fixture
def following(job: Job, folder: Path, told: Told, sources: Callable) -> Callable[..., Following]:
    """Follow the folder; after each step the next action follows, and the end after the last."""

    def make(*actions: Callable[[], Any], **changes: Any) -> Following:
        stop, rest = threading.Event(), iter(actions)

        def tell(step: Step) -> None:
            told.append(step)
            next(rest, stop.set)()

        def load(paths: Sequence[str]) -> Summary:
            return load_clicks(job, sources(CLICKS, *paths))

        return replace(Following(job, folder, load, tell, stop, every=0.1, waits=(0.0,)), **changes)

    return make


def put(folder: Path, name: str, *rows: str, columns: str = "query,item") -> None:
    """Write a log beside its place and rename it there, as those who follow are told to."""
    partial = folder / f".{name}.partial"
    partial.parent.mkdir(exist_ok=True)
    partial.write_text("\n".join([columns, *rows, ""]))
    partial.rename(folder / name)


def clicks(graph: Graph) -> dict[str, int]:
    """Return item to clicks of a graph that passes its check."""
    assert [finding.name for finding in check_graph(graph) if not finding.ok or finding.note] == []
    records = graph.read("MATCH (:Query)-[c:CLICKED]->(i:Item) RETURN i.id AS id, sum(c.clicks) AS clicks")
    return {record["id"]: record["clicks"] for record in records}


def test_files_are_in_once_over_restarts(folder: Path, following: Callable, told: Told, graph: Graph) -> None:
    """New files come in as they arrive; after a restart the old ones are not read again, nor the same rows added."""
    put(folder, "a.csv", "red,i1", "blue,i2")
    follow(following(lambda: put(folder, "b b?.csv", "red,i1")))
    assert [(step.files, step.left_out, step.waiting) for step in told] == [(1, 0, ()), (1, 0, ())]
    assert clicks(graph) == {"i1": 2, "i2": 1}
    put(folder, "copy of a.csv", "blue,i2", "red,i1")
    put(folder / "day=2", "c.csv", "oak,i3")
    follow(following())
    (summary,) = told[-1].summaries
    assert (told[-1].files, summary.files_new, summary.files_in_already) == (2, 1, 1)
    assert clicks(graph) == {"i1": 2, "i2": 1, "i3": 1}


def test_items_are_seen_from_the_first_to_the_last_file(folder: Path, following: Callable, graph: Graph) -> None:
    """A file that arrives late with earlier clicks moves the first sight of an item back, and no other."""
    columns = "query,item,timestamp"
    put(folder, "a.csv", "red,i1,1970-01-01T00:00:02Z", columns=columns)
    early = ("red,i1,1970-01-01T00:00:01Z", "red,i2,1970-01-01T00:00:05Z")
    follow(following(lambda: put(folder, "b.csv", *early, columns=columns)))
    records = graph.read("MATCH (i:Item) RETURN i.id AS id, i.first_seen AS first, i.last_seen AS last")
    seen = {record["id"]: (record["first"], record["last"]) for record in records}
    assert seen == {"i1": (1000, 2000), "i2": (5000, 5000)}


def test_files_that_wait_are_counted(folder: Path, following: Callable, told: Told) -> None:
    """What arrives during a micro-batch waits, and has an age; the lag is of files that are in."""
    put(folder, "a.csv", "red,i1")
    plain = following()

    def load(paths: Sequence[str]) -> Summary:
        for name in ("b.csv", "_c.csv", "d.txt"):
            put(folder, name, "red,i2")
        return plain.load(paths)

    follow(replace(plain, load=load))
    assert len(told[0].waiting) == 1
    assert 0 <= told[0].waiting[0] <= told[0].lag_seconds


def test_a_bad_file_costs_itself(folder: Path, following: Callable, told: Told, graph: Graph, job: Job) -> None:
    """A file that cannot be read, or lacks a column, is named and left out; bad rows are set aside; others go in."""
    said: list[str] = []
    put(folder, "a.csv", "red,i1", ",i9")
    put(folder, "b.csv", "blue,i2")
    (folder / "c.parquet").write_text("no")
    (folder / "d.csv").write_text("name\nx\n")
    follow(following(job=replace(job, say=said.append)))
    assert (told[0].files, told[0].left_out) == (4, 2)
    left = [line for line in said if line.startswith("left out")]
    assert ["c.parquet" in left[0], "d.csv" in left[1], len(left)] == [True, True, 2]
    assert clicks(graph) == {"i1": 1, "i2": 1}


def test_killed_in_a_micro_batch_it_goes_on(
    folder: Path, following: Callable, told: Told, graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Broken off after every chunk and started again, while more files arrive, it counts each click once."""
    put(folder, "a.csv", *(f"q{n % 3},i{n % 4}" for n in range(12)))
    put(folder, "b.csv", "q1,i1", "q9,i9")

    def die_after_one(graph: Graph, statement: str, chunk: Chunk) -> neo4j.SummaryCounters | None:
        counts = write_chunk(graph, statement, chunk)
        if counts is not None:
            raise RuntimeError("killed")
        return counts

    with monkeypatch.context() as patch:
        patch.setattr("recsys.ingest.job.write_chunk", die_after_one)
        for n in range(2):
            with pytest.raises(RuntimeError, match="killed"):
                follow(following())
            put(folder, f"late {n}.csv", f"q1,late{n}")
    assert told == []
    follow(following(lambda: None))
    assert [step.files for step in told] == [2, 2]
    assert clicks(graph) == {"i0": 3, "i1": 4, "i2": 3, "i3": 3, "i9": 1, "late0": 1, "late1": 1}


def test_files_wait_while_the_graph_is_away(folder: Path, following: Callable, told: Told, graph: Graph) -> None:
    """It keeps trying; asked to stop meanwhile, it leaves the files for the next start."""
    put(folder, "a.csv", "red,i1")
    plain = following()
    away = iter([True, True, True])

    def load(paths: Sequence[str]) -> Summary:
        if next(away, False):
            raise GraphUnreachableError("bolt://there", OSError("away"))
        return plain.load(paths)

    def stop_and_fail(paths: Sequence[str]) -> Summary:
        stopping.stop.set()
        return load(paths)

    stopping = following()
    stopping = replace(stopping, load=stop_and_fail)
    follow(stopping)
    assert told == []
    follow(replace(plain, load=load))
    assert [step.files for step in told] == [1]
    assert clicks(graph) == {"i1": 1}


def test_a_folder_is_followed_once_at_a_time(folder: Path, following: Callable, job: Job, graph: Graph) -> None:
    """A second follower of the workspace is refused; an emptied graph is another one and gets every file."""
    first = follow_id(graph, str(folder))
    home = job.workspace / "follow" / first
    home.mkdir(parents=True)
    with FileLock(home / "lock"), pytest.raises(FollowedAlreadyError, match="arriving is followed"):
        follow(following())
    graph.write("MATCH (n) DETACH DELETE n")
    assert follow_id(graph, str(folder)) != first
