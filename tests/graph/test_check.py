"""A whole graph passes every check; each way to break it fails the check that is there for it, and no other."""

from __future__ import annotations

import pytest

from recsys.graph.batches import Batch, begin
from recsys.graph.check import check_graph
from recsys.graph.client import Graph
from recsys.graph.finding import Finding
from recsys.graph.relations import Relation, register


def failed(graph: Graph) -> dict[str, Finding]:
    """Return name to finding of the checks that fail."""
    return {finding.name: finding for finding in check_graph(graph) if not finding.ok}


def test_a_whole_graph_passes(clicked_graph: Graph):
    """No check fails, and each says nothing."""
    findings = list(check_graph(clicked_graph))
    assert [f for f in findings if not f.ok or f.count or f.examples or f.note] == []
    assert len({f.name for f in findings}) == len(findings) == 13


def test_an_empty_graph_passes(graph: Graph):
    """With the schema or without anything at all, there is nothing wrong."""
    assert failed(graph) == {}
    graph.write("MATCH (n) DETACH DELETE n")
    assert failed(graph) == {}


ROWS = "rows of {} are dense and unique up to the counter ({})"


@pytest.mark.parametrize(
    ("broken", "name", "count", "example"),
    [
        ("MATCH (i:Item {id: 'i5'}) DELETE i", ROWS.format("Item", 5), 1, "row 4 has 0 nodes"),
        ("MATCH (i:Item {id: 'i5'}) REMOVE i.row", ROWS.format("Item", 5), 2, "row 4 has 0 nodes"),
        ("MATCH (i:Item {id: 'i5'}) SET i.row = 9", ROWS.format("Item", 5), 2, "i5 has row 9"),
        ("MATCH (i:Item {id: 'i5'}) SET i.row = '4'", ROWS.format("Item", 5), 2, "i5 has row 4"),
        ("CREATE (:Item {id: 'i6'})", ROWS.format("Item", 5), 1, "i6 has no row"),
        ("MATCH (c:RowCounter {label: 'Query'}) SET c.next = 6", ROWS.format("Query", 6), 2, "row 5 has 0 nodes"),
        ("MATCH (n:Anchor {id: 'a2'}) REMOVE n.id", "every node has an id", 1, "Anchor of row 1"),
        (
            "MATCH (:Query {id: 'q2'})-[c:CLICKED]->() SET c.clicks = 0 "
            "WITH c MATCH (b:ClickBatch) SET b.clicks = b.clicks - 3",
            "clicked pairs have clicks, 1 or more",
            1,
            "q2 → i1 has 0",
        ),
        (
            "MATCH (:Query {id: 'q2'})-[c:CLICKED]->() REMOVE c.clicks "
            "WITH c MATCH (b:ClickBatch) SET b.clicks = b.clicks - 3",
            "clicked pairs have clicks, 1 or more",
            1,
            "q2 → i1 has none",
        ),
        (
            "MATCH (q:Query {id: 'q2'})-[c:CLICKED]->(i) SET c.clicks = 1 CREATE (q)-[:CLICKED {clicks: 2}]->(i)",
            "clicked pairs are one relationship each, from a query to an item",
            1,
            "q2 → i1",
        ),
        (
            "MATCH (b:ClickBatch), (q:Query {id: 'q1'}), (a:Anchor {id: 'a1'}) SET b.clicks = b.clicks + 2 "
            "CREATE (q)-[:CLICKED {clicks: 2}]->(a)",
            "clicked pairs are one relationship each, from a query to an item",
            1,
            "q1 → a1",
        ),
        ("MATCH (a:Anchor {id: 'a3'})-[r]-() DELETE r", "every anchor has an edge", 1, "a3"),
        (
            "MATCH (:Query {id: 'q2'})-[c:CLICKED]->() DELETE c "
            "WITH count(*) AS n MATCH (b:ClickBatch) SET b.clicks = b.clicks - 3",
            "every query has clicks",
            1,
            "q2",
        ),
        (
            "MATCH (x:Relation {name: 'HAS_TAG', source: 'Item'}) DELETE x",
            "the registry names the relations that exist",
            1,
            "5 HAS_TAG from Item to Anchor are not registered",
        ),
        (
            "MATCH (:Query)-[r:HAS_TAG]->() DELETE r",
            "the registry names the relations that exist",
            1,
            "HAS_TAG from Query to Anchor has no edges",
        ),
        (
            "MATCH (:Query {id: 'q1'})-[c:CLICKED]->(:Item {id: 'i1'}) SET c.clicks = 7",
            "clicks in the graph equal those of the batches",
            1,
            "21 in the graph, 20 in batches",
        ),
    ],
)
def test_what_is_broken_fails_its_check_alone(clicked_graph: Graph, broken: str, name: str, count: int, example: str):
    """The finding counts the places and names them."""
    clicked_graph.write(broken)
    found = failed(clicked_graph)
    assert list(found) == [name]
    assert found[name].count == count
    assert example in found[name].examples


def test_duplicates_are_found_where_the_constraint_is_gone(clicked_graph: Graph):
    """Ids and rows that two nodes share are named, and so are the constraints that would have kept them apart."""
    for constraint in ("recsys_item_id", "recsys_item_row"):
        clicked_graph.command(f"DROP CONSTRAINT {constraint}")
    clicked_graph.write("MATCH (i:Item {id: 'i5'}) SET i.id = 'i3', i.row = 2")
    found = failed(clicked_graph)
    clicked_graph.write("MATCH (n) DETACH DELETE n")
    assert found["uniqueness constraints exist"].examples == ("recsys_item_id", "recsys_item_row")
    assert found["ids are unique per label"].examples == ("i3 names 2 nodes",)
    assert found[ROWS.format("Item", 5)].examples == ("row 2 has 2 nodes", "row 4 has 0 nodes")
    assert len(found) == 3


def test_an_unfinished_batch_is_named_with_its_command(clicked_graph: Graph):
    """Its queries may still be without clicks and its clicks be in already; fewer clicks than are known still fail."""
    begin(clicked_graph, Batch("clicks-2", "clicks", ("other",), ("/logs/day two.csv",), 100))
    clicked_graph.write("CREATE (:Query {id: 'q5', text: 'new', row: 4})")
    clicked_graph.write("MATCH (c:RowCounter {label: 'Query'}) SET c.next = 5")
    found = failed(clicked_graph)
    assert list(found) == ["every batch is complete"]
    assert found["every batch is complete"].examples == ("clicks-2: `recsys ingest clicks '/logs/day two.csv'`",)
    notes = [finding.note for finding in check_graph(clicked_graph) if finding.note]
    assert notes == [
        "1 without, which an unfinished batch may bring",
        "at least: 1 batches are unfinished or do not hold their clicks",
    ]
    clicked_graph.write("MATCH (:Query {id: 'q1'})-[c:CLICKED]->(:Item {id: 'i1'}) SET c.clicks = 5")
    assert "clicks in the graph equal those of the batches" in failed(clicked_graph)


def test_a_derived_relation_may_be_empty(clicked_graph: Graph):
    """There may have been nothing to derive."""
    register(clicked_graph, [Relation("CO_CLICKED", "Item", "Item", "derived")])
    assert failed(clicked_graph) == {}
