"""Twenty kinds of rows that cannot be used; ``python -m benchmarks.faults.malformed`` writes a million of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from benchmarks.faults.malformed import CSV_KINDS, JSON_KINDS, mend, write_malformed
from recsys.graph.client import Graph
from recsys.ingest.clean import CLICKS
from recsys.ingest.clicks import load_clicks
from recsys.ingest.job import Job
from recsys.ingest.rejects import list_rejects
from recsys.ingest.retry import Mended, retry_rejects

EACH = 50


def clicks(graph: Graph) -> int:
    """Return the clicks in the graph."""
    total: int = graph.read("MATCH ()-[c:CLICKED]->() RETURN sum(c.clicks) AS clicks")[0]["clicks"]
    return total


def test_every_kind_is_set_aside_for_its_reason_and_comes_back_once(
    job: Job, graph: Graph, sources: Callable, tmp_path: Path
) -> None:
    """All good rows are in, the list counts each reason exactly, and mended rows go in once."""
    job = replace(job, chunk_rows=1_000)
    reasons = write_malformed(tmp_path / "logs", EACH)
    assert len(CSV_KINDS) + len(JSON_KINDS) == 20
    summary = load_clicks(job, sources(CLICKS, tmp_path / "logs"))
    assert summary.kept == clicks(graph) == 2 * EACH
    assert {reason: refused.rows for reason, refused in summary.set_aside.items()} == reasons
    (waiting,) = list_rejects(job.workspace)
    assert {reason: found["rows"] for reason, found in waiting.reasons.items()} == reasons
    assert mend(waiting.folder) == 20 * EACH
    retried = retry_rejects(job, waiting.folder, Mended())
    assert retried is not None
    assert (retried.kept, clicks(graph)) == (20 * EACH, 22 * EACH)
    assert retry_rejects(job, waiting.folder, Mended()) is None
    (waiting,) = list_rejects(job.workspace)
    assert (waiting.reasons, waiting.went_in) == ({}, 20 * EACH)
    assert clicks(graph) == 22 * EACH
