"""Degrees per relation, by hand."""

from __future__ import annotations

from recsys.graph.client import Graph
from recsys.graph.degrees import RelationDegrees, read_degrees, relation_degrees
from recsys.graph.histogram import Histogram
from recsys.graph.relations import Relation, register

NASTY = "`]->() DETACH DELETE (n) //"


def test_relations_by_hand(clicked_graph: Graph):
    """Clicks are seen from both ends; a relation of two labels is two rows; a share is of all nodes."""
    assert relation_degrees(clicked_graph) == [
        RelationDegrees("CLICKED", "Query", "Item", "clicks", 6, 1, 2, 2, 4, 100.0),
        RelationDegrees("CLICKED", "Item", "Query", "clicks", 6, 1, 3, 3, 4, 80.0),
        RelationDegrees("HAS_TAG", "Item", "Anchor", "ingested", 5, 1, 3, 3, 3, 60.0),
        RelationDegrees("HAS_TAG", "Query", "Anchor", "ingested", 1, 1, 1, 1, 1, 25.0),
        RelationDegrees("SAME_SESSION", "Query", "Query", "derived", 2, 1, 1, 1, 2, 50.0),
    ]


def test_a_relation_without_edges_reaches_nothing(graph: Graph):
    """An empty graph, and a name that looks like Cypher, are no trouble."""
    register(graph, [Relation(NASTY, "Item", "Anchor")])
    assert relation_degrees(graph)[-1] == RelationDegrees(NASTY, "Item", "Anchor", "ingested", 0, 0, 0, 0, 0, 0.0)


def test_one_relation_to_two_labels_is_two_kinds(graph: Graph):
    """Degrees are per label that an edge leads to."""
    graph.write("CREATE (q:Query)-[:SEEN]->(:Item), (q)-[:SEEN]->(:Item), (q)-[:SEEN]->(:Query)-[:SEEN]->(:Item)")
    expected = {("SEEN", "Item"): Histogram({2: 1, 1: 1}), ("SEEN", "Query"): Histogram({1: 1})}
    assert read_degrees(graph, "Query") == expected
