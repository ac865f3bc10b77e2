"""The figures of the graph, by hand."""

from __future__ import annotations

from recsys.graph.batches import Batch, begin
from recsys.graph.client import Graph
from recsys.graph.ledger import Chunk, write_chunk
from recsys.graph.stats import ClickStats, LabelStats, LedgerStats, graph_stats


def test_stats_by_hand(clicked_graph: Graph):
    """Items have 10, 1, 4, 5 and 0 clicks: one item, the top 1 %, has half; three are under five clicks."""
    begin(clicked_graph, Batch("links-1", "links", ("hash",), ("links.csv",), 100))
    write_chunk(clicked_graph, "RETURN 1", Chunk("links-1/link_ends/0", {}))
    found = graph_stats(clicked_graph)
    assert found.labels == {"Query": LabelStats(4, 4, 0), "Item": LabelStats(5, 5, 1), "Anchor": LabelStats(3, 3, 1)}
    assert found.clicks == ClickStats(6, 20, 1_700_000_000_000, 1_700_086_400_000, 1, 3, 50.0)
    assert found.ledger == LedgerStats({"clicks": 1}, {"links": 1}, 2)


def test_stats_of_nothing(graph: Graph):
    """An empty graph has figures, all 0, and no times."""
    found = graph_stats(graph)
    assert found.clicks == ClickStats(0, 0, None, None, 0, 0, 0.0)
    assert found.ledger == LedgerStats({}, {}, 0)


def test_rows_and_nodes_are_counted_apart(clicked_graph: Graph):
    """A node that was taken away still has its row in the counter."""
    clicked_graph.write("MATCH (i:Item {id: 'i5'}) DETACH DELETE i")
    assert graph_stats(clicked_graph).labels["Item"] == LabelStats(4, 5, 0)
