"""A node with its neighbours, and what is said where there is none."""

from __future__ import annotations

import pytest

from recsys.core.text import query_id
from recsys.graph.client import Graph
from recsys.graph.neighbourhood import Branch, Neighbour, NodeUnknownError, by_id, by_text


def test_a_query_has_its_items_and_what_it_draws(clicked_graph: Graph):
    """Clicked items come first, the most clicked on top; clicks add up."""
    (hood,) = by_id(clicked_graph, "q1")
    assert (hood.label, hood.text, hood.clicks, hood.properties) == ("Query", "red", 7, {"row": 0})
    items = (
        Neighbour("i1", "Red shoe", {"clicks": 6, "last_at": 1_700_000_000_000}),
        Neighbour("i2", "Blue shoe", {"clicks": 1}),
    )
    assert hood.branches == (
        Branch("CLICKED", "out", "Item", 2, items),
        Branch("HAS_TAG", "out", "Anchor", 1, (Neighbour("a1", "Shoes", {}),)),
        Branch("SAME_SESSION", "out", "Query", 1, (Neighbour("q2", "blue", {"sessions": 2}),)),
    )


def test_an_item_has_its_queries(clicked_graph: Graph):
    """Only the first few neighbours are named, all are counted."""
    (hood,) = by_id(clicked_graph, "i1", shown=2)
    assert hood.clicks == 10
    clicks, tags = hood.branches
    assert (clicks.relation, clicks.direction, clicks.label, clicks.edges) == ("CLICKED", "in", "Query", 3)
    assert [neighbour.id for neighbour in clicks.first] == ["q1", "q2"]
    assert (tags.edges, [neighbour.id for neighbour in tags.first]) == (3, ["a1", "a2"])


def test_an_anchor_has_what_leads_to_it(clicked_graph: Graph):
    """Each label that an anchor is drawn by is a branch of its own."""
    (hood,) = by_id(clicked_graph, "a1")
    assert [(b.direction, b.label, b.edges) for b in hood.branches] == [("in", "Item", 3), ("in", "Query", 1)]


def test_an_id_of_a_query_and_an_item_is_both(clicked_graph: Graph):
    """They are two nodes with surroundings of their own."""
    query, item = by_id(clicked_graph, "both")
    assert (query.label, query.text, item.label, item.text) == ("Query", "lamp", "Item", "Lamp")


def test_a_text_finds_its_query(clicked_graph: Graph):
    """By the id made from it however it is written, or by the very text where queries came with ids."""
    clicked_graph.write("CREATE (:Query {id: $id, text: 'red lamp', row: 4})", id=query_id("red lamp"))
    assert by_text(clicked_graph, " Red  LAMP")[0].text == "red lamp"
    assert [hood.id for hood in by_text(clicked_graph, "oak table")] == ["q3"]
    with pytest.raises(NodeUnknownError, match=r"no query has the text 'oak'.*graph show ID"):
        by_text(clicked_graph, "oak")


def test_an_unknown_id_names_those_like_it(clicked_graph: Graph):
    """The error holds close ids and the next command."""
    clicked_graph.write("CREATE (:Item {id: 'shoe-123', row: 5}), (:Query {id: 'shoe-132', row: 4})")
    with pytest.raises(NodeUnknownError, match="recsys graph show --text") as caught:
        by_id(clicked_graph, "shoe-124")
    assert set(caught.value.close) == {"shoe-123", "shoe-132"}
    with pytest.raises(NodeUnknownError) as caught:
        by_id(clicked_graph, "x'}) DETACH DELETE (n) //")
    assert caught.value.close == ()
