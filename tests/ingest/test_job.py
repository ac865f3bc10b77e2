"""What a batch leaves in the ledger."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import neo4j
import pytest

from recsys.graph.check import check_graph
from recsys.graph.client import Graph
from recsys.graph.ledger import Chunk, write_chunk
from recsys.ingest.clean import CLICKS
from recsys.ingest.clicks import load_clicks
from recsys.ingest.job import Job


def test_a_batch_holds_its_clicks_however_often_it_was_broken_off(
    job: Job, graph: Graph, sources: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The total is of all rows, not of those written last, and the whole graph passes its check."""
    path = tmp_path / "a.csv"
    path.write_text("query,item,count\n" + "".join(f"q{row % 3},i{row},{row}\n" for row in range(1, 6)))

    def die_in_clicks(graph: Graph, statement: str, chunk: Chunk) -> neo4j.SummaryCounters | None:
        counts = write_chunk(graph, statement, chunk)
        if "clicks" in chunk.parameters:
            raise KeyboardInterrupt
        return counts

    with monkeypatch.context() as patch:
        patch.setattr("recsys.ingest.job.write_chunk", die_in_clicks)
        with pytest.raises(KeyboardInterrupt):
            load_clicks(job, sources(CLICKS, path))
    assert [finding.name for finding in check_graph(graph) if not finding.ok] == ["every batch is complete"]
    load_clicks(job, sources(CLICKS, path))
    (batch,) = graph.read("MATCH (b:ClickBatch) RETURN b.queries AS queries, b.pairs AS pairs, b.clicks AS clicks")
    assert batch.data() == {"queries": 3, "pairs": 5, "clicks": 15}
    assert [finding for finding in check_graph(graph) if not finding.ok or finding.note] == []
