"""What lies between a query and an item."""

from __future__ import annotations

import pytest

from recsys.graph import between
from recsys.graph.between import (
    Clicker,
    Detour,
    Shared,
    by_co_clicks,
    by_sessions,
    clickers_among,
    shared_anchors,
    top_clickers,
)
from recsys.graph.client import Graph


def test_those_who_clicked_come_by_their_clicks(clicked_graph: Graph):
    """The item's queries, most clicks first, as many as asked for; of given ones those that did."""
    six, three, one = Clicker("q1", "red", 6), Clicker("q2", "blue", 3), Clicker("q3", "oak table", 1)
    assert top_clickers(clicked_graph, "i1", 10) == [six, three, one]
    assert top_clickers(clicked_graph, "i1", 2) == [six, three]
    assert clickers_among(clicked_graph, ["q3", "q2", "both", "nobody"], "i1") == [three, one]
    assert top_clickers(clicked_graph, "i5", 10) == []


def test_shared_anchors_are_ordered_by_how_few_share_them(clicked_graph: Graph):
    """An anchor of both is named with the relations to it, raw before walked; what few are linked to comes first."""
    clicked_graph.write(
        "MATCH (q:Query {id: 'q1'}), (i:Item {id: 'i1'}), (a:Anchor {id: 'a2'}) "
        "CREATE (q)-[:HAS_TAG]->(a), (i)-[:HAS_TAG_WALKED]->(a)"
    )
    expected = [Shared("a2", "a2", "HAS_TAG", "HAS_TAG", 3), Shared("a1", "Shoes", "HAS_TAG", "HAS_TAG", 4)]
    assert shared_anchors(clicked_graph, "q1", "i1", 5) == expected
    assert shared_anchors(clicked_graph, "q1", "i1", 1) == expected[:1]
    assert shared_anchors(clicked_graph, "q2", "i1", 5) == []


def test_queries_of_the_same_sessions_lead_on(clicked_graph: Graph):
    """Only those that clicked the item; the edges of both directions are one detour."""
    assert by_sessions(clicked_graph, "q1", "i1", 5) == [Detour("q2", "blue", 2, 3)]
    assert by_sessions(clicked_graph, "q1", "i2", 5) == []


def test_items_clicked_together_lead_on(clicked_graph: Graph):
    """From what the query clicked to what people click with it, the item itself left out."""
    clicked_graph.write(
        "MATCH (a:Item {id: 'i1'}), (b:Item {id: 'i3'}) "
        "CREATE (a)-[:CO_CLICKED {weight: 0.5}]->(b)-[:CO_CLICKED {weight: 0.5}]->(a)"
    )
    assert by_co_clicks(clicked_graph, "q1", "i3", 5) == [Detour("i1", "Red shoe", 6, 0.5)]
    assert by_co_clicks(clicked_graph, "q3", "i1", 5) == [Detour("i3", "Table", 4, 0.5)]
    assert by_co_clicks(clicked_graph, "q1", "i2", 5) == []


def test_of_a_hub_a_bounded_part_is_looked_at(clicked_graph: Graph, monkeypatch: pytest.MonkeyPatch):
    """No more edges than the bound are gone through, while queries that are asked about are found all the same."""
    clicked_graph.write(
        "MATCH (i:Item {id: 'i5'}) UNWIND range(1, 60) AS k "
        "CREATE (:Query {id: 'h' + k, text: 'hub', row: 100 + k})-[:CLICKED {clicks: k}]->(i)"
    )
    monkeypatch.setattr(between, "EDGES", 20)
    assert len(top_clickers(clicked_graph, "i5", 50)) == 20
    assert clickers_among(clicked_graph, ["h1", "h60"], "i5") == [Clicker("h60", "hub", 60), Clicker("h1", "hub", 1)]
