from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from recsys.graph.batches import BatchGoneError
from recsys.graph.client import Graph
from recsys.ingest.clean import CLICKS, LINKS, NODES
from recsys.ingest.clicks import load_clicks
from recsys.ingest.job import Job
from recsys.ingest.links import load_links
from recsys.ingest.summary import Summary
from recsys.ingest.tally import TooManyRejectsError

LOG = "query,item,session\nred,i1,s\nblue,i2,s\n,i3,t\nred,i1,t\n"


class ReadingError(Exception):
    """Somebody wants rows."""


def reads() -> SparkSession:
    """Stand in for Spark where no row may be read."""
    raise ReadingError


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log of three good rows and a bad one."""
    path = tmp_path / "a.csv"
    path.write_text(LOG)
    return path


@pytest.fixture
def lines() -> list[str]:
    """What a job says."""
    return []


@pytest.fixture
def blind(job: Job, lines: list[str]) -> Job:
    """The job, but without a Spark."""
    return replace(job, start=reads, say=lines.append)


def counted(summary: Summary) -> dict[str, Any]:
    """Return everything in ``summary`` but times."""
    return {k: v for k, v in summary.as_json().items() if k not in {"seconds", "rows_per_second"}}


def test_a_file_that_is_in_is_not_read_again(
    job: Job, blind: Job, graph: Graph, sources: Callable, dump: Callable, log: Path
) -> None:
    """The report is that of a run that reads it once more, rows set aside and all, also for a copy of the file."""
    load_clicks(job, sources(CLICKS, log))
    before = dump()
    quick = load_clicks(blind, sources(CLICKS, log))
    graph.write("MATCH (f:ReadFile) DELETE f")
    slow = load_clicks(job, sources(CLICKS, log))
    assert counted(quick) == counted(slow)
    assert (quick.files_new, quick.files_in_already, quick.read, quick.kept) == (0, 1, 4, 3)
    assert quick.set_aside["empty_query_text"].rows == 1
    copied = load_clicks(blind, sources(CLICKS, log, shutil.copy(log, log.with_name("b.csv"))))
    assert (copied.files_in_already, copied.files_repeated) == (2, 1)
    assert dump() == before


def test_only_what_is_new_in_a_folder_is_read(
    job: Job, graph: Graph, sources: Callable, dump: Callable, log: Path, lines: list[str]
) -> None:
    """A folder that grows file by file makes the graph of all its files, and each is read once."""
    logs = log.parent / "logs"
    for number in range(3):
        (logs / str(number)).mkdir(parents=True)
        (logs / str(number) / "log.csv").write_text(LOG + "red,i1,\n" * number)
        grown = load_clicks(replace(job, say=lines.append), sources(CLICKS, logs))
        assert (grown.files_new, grown.files_in_already) == (1, number)
        assert grown.read == sum(4 + earlier for earlier in range(number + 1))
    assert [line for line in lines if "file" in line] == [
        "reading 1 file of clicks",
        "1 file of clicks in by their bytes",
        "reading 1 file of clicks",
        "2 files of clicks in by their bytes",
        "reading 1 file of clicks",
    ]
    at_once, found = dump(), graph.read("MATCH ()-[c:CLICKED]->() RETURN sum(c.clicks) AS clicks")[0]["clicks"]
    assert found == 3 * 3 + 0 + 1 + 2
    graph.write("MATCH (n) WHERE NOT n:RowCounter DETACH DELETE n")
    graph.write("MATCH (c:RowCounter) SET c.next = 0, c.adopted = 0")
    load_clicks(job, sources(CLICKS, logs))
    assert dump() == at_once


def test_a_batch_that_was_broken_off_is_read(
    job: Job, blind: Job, sources: Callable, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read, noted and is not in for sure is read once more."""

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("recsys.ingest.job.write_chunk", die)
        with pytest.raises(KeyboardInterrupt):
            load_clicks(job, sources(CLICKS, log))
    with pytest.raises(ReadingError):
        load_clicks(blind, sources(CLICKS, log))
    assert load_clicks(job, sources(CLICKS, log)).files_new == 1
    assert load_clicks(blind, sources(CLICKS, log)).files_new == 0


def test_a_note_without_its_batch_counts_for_nothing(
    job: Job, blind: Job, graph: Graph, sources: Callable, log: Path
) -> None:
    """The batches say what is in: where they are gone, the file is read; where they go meanwhile, the call ends."""
    load_clicks(job, sources(CLICKS, log))

    def forget(_: str) -> None:
        graph.write("MATCH (b:ClickBatch) DELETE b")

    with pytest.raises(BatchGoneError):
        load_clicks(replace(blind, say=forget), sources(CLICKS, log))
    with pytest.raises(ReadingError):
        load_clicks(blind, sources(CLICKS, log))


def test_whoever_asks_for_rows_gets_them(job: Job, blind: Job, sources: Callable, log: Path) -> None:
    """``--again`` and a dry run read, as does a run whose rows set aside are no longer where they were."""
    rejects = load_clicks(job, sources(CLICKS, log)).rejects
    assert rejects is not None
    for asked in (replace(blind, again=True), replace(blind, graph=None)):
        with pytest.raises(ReadingError):
            load_clicks(asked, sources(CLICKS, log))
    shutil.rmtree(rejects)
    with pytest.raises(ReadingError):
        load_clicks(blind, sources(CLICKS, log))
    assert load_clicks(job, sources(CLICKS, log)).rejects == rejects
    assert rejects.is_dir()


def test_a_limit_for_rejects_holds_for_what_is_in(job: Job, blind: Job, sources: Callable, log: Path) -> None:
    """Too many bad rows are an error, read or not."""
    load_clicks(job, sources(CLICKS, log))
    with pytest.raises(TooManyRejectsError):
        load_clicks(replace(blind, max_rejects="1%"), sources(CLICKS, log))


def test_a_file_that_changes_while_it_is_read_is_not_known(job: Job, blind: Job, sources: Callable, log: Path) -> None:
    """What was noted of its bytes would not be what was read."""

    def grow(line: str) -> None:
        if line.startswith("reading"):
            log.write_text(LOG + "green,i9,\n")

    assert load_clicks(replace(job, say=grow), sources(CLICKS, log)).kept == 4
    with pytest.raises(ReadingError):
        load_clicks(blind, sources(CLICKS, log))


def test_links_that_are_in_are_not_read_again(
    job: Job, blind: Job, sources: Callable, dump: Callable, tmp_path: Path
) -> None:
    """The relation named by a flag is part of what is known; texts of nodes are read and set each time."""
    links, nodes = tmp_path / "links.csv", tmp_path / "nodes.csv"
    links.write_text("source,target\nq,a\nq,b\n")
    nodes.write_text("node_id,title\na,Shoes\n")

    def add(job: Job, relation: str, texts: Sequence[Path] = ()) -> Summary:
        titles = sources(NODES, *texts) if texts else []
        return load_links(job, sources(LINKS, links, relation=relation), titles)

    add(job, "HAS")
    before = dump()
    assert add(blind, "HAS").files_in_already == 1
    assert dump() == before
    with pytest.raises(ReadingError):
        add(blind, "IS")
    with pytest.raises(ReadingError):
        add(blind, "HAS", [nodes])
    assert add(job, "HAS", [nodes]).files_in_already == 1
    assert '"text": "Shoes"' in dump()["Anchor"][0]
