"""Counting rows that are in once more, exactly once more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import neo4j
import pytest

from recsys.graph.batches import report
from recsys.graph.check import check_graph
from recsys.graph.client import Graph
from recsys.graph.ledger import Chunk, write_chunk
from recsys.ingest.clean import CLICKS
from recsys.ingest.clicks import load_clicks
from recsys.ingest.job import Job


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log of five pairs, 15 clicks and one session."""
    path = tmp_path / "a.csv"
    path.write_text("query,item,count,session\n" + "".join(f"q{row % 3},i{row},{row},s\n" for row in range(1, 6)))
    return path


def counts(graph: Graph) -> tuple[int, int, int]:
    """Return pairs, clicks and the sessions of the busiest SAME_SESSION; the graph must pass its check."""
    assert [finding.name for finding in check_graph(graph) if not finding.ok or finding.note] == []
    (clicked,) = graph.read("MATCH ()-[c:CLICKED]->() RETURN count(c) AS pairs, sum(c.clicks) AS clicks")
    (joined,) = graph.read("MATCH ()-[s:SAME_SESSION]->() RETURN max(s.sessions) AS sessions")
    return clicked["pairs"], clicked["clicks"], joined["sessions"]


def test_each_time_adds_the_rows_once_more(job: Job, graph: Graph, sources: Callable, log: Path) -> None:
    """The first time is like any ingest; pairs stay, clicks and sessions add up, and a plain run finds all in."""
    job = replace(job, session_window=60_000)
    for time in (1, 2, 3):
        summary = load_clicks(replace(job, again=True), sources(CLICKS, log))
        report(graph, summary.unreported)
        assert (summary.files_new, summary.files_in_already) == (1, 0)
        assert counts(graph) == (5, 15 * time, time)
    assert load_clicks(job, sources(CLICKS, log)).files_in_already == 1
    assert counts(graph) == (5, 45, 3)


def test_broken_off_after_any_chunk_it_adds_once(
    job: Job, graph: Graph, sources: Callable, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same command again and again, killed after every chunk and before it could say that it is done."""
    job = replace(job, session_window=60_000)
    load_clicks(job, sources(CLICKS, log))

    def die_after_one(graph: Graph, statement: str, chunk: Chunk) -> neo4j.SummaryCounters | None:
        counts = write_chunk(graph, statement, chunk)
        if counts is not None:
            raise KeyboardInterrupt
        return counts

    deaths = 0
    with monkeypatch.context() as patch:
        patch.setattr("recsys.ingest.job.write_chunk", die_after_one)
        for chunk_rows in (3, 2, 4, 1, 3, 5, 9, 9, 9, 9):
            try:
                load_clicks(replace(job, chunk_rows=chunk_rows, again=True), sources(CLICKS, log))
                break
            except KeyboardInterrupt:
                deaths += 1
    assert deaths == 7  # chunks of three: 1 of queries, 2 of items, 2 of pairs, 2 of sessions
    assert counts(graph) == (5, 30, 2)
    untold = load_clicks(replace(job, again=True), sources(CLICKS, log))
    assert (untold.files_new, untold.files_in_already) == (0, 1)
    assert counts(graph) == (5, 30, 2)
    report(graph, untold.unreported)
    assert load_clicks(replace(job, again=True), sources(CLICKS, log)).files_new == 1
    assert counts(graph) == (5, 45, 3)
