"""The registry of relations, and the counts of the graph."""

from __future__ import annotations

from recsys.graph.client import Graph
from recsys.graph.counts import GraphCounts, count_graph
from recsys.graph.relations import Relation, list_relations, register

NASTY = "`]->() DETACH DELETE (n) //"


def test_the_registry_is_sorted_and_knows_each_relation_once(graph: Graph):
    """Entering a relation again leaves it as it was; one name may have several ends."""
    has_brand = Relation("HAS_BRAND", "Item", "Anchor")
    both = [has_brand, Relation(NASTY, "Query", "Item", "derived"), Relation("HAS_BRAND", "Query", "Anchor")]
    register(graph, both)
    register(graph, [Relation("HAS_BRAND", "Item", "Anchor", "derived")])
    assert list_relations(graph) == sorted(both)


def test_an_empty_graph_counts_nothing(graph: Graph):
    """Row counters are not data."""
    assert count_graph(graph) == GraphCounts(0, 0, 0, 0, {})


def test_counts_equal_what_was_written(graph: Graph):
    """Pairs are counted, not clicks; a registered relation without edges has 0; other relations are not shown."""
    graph.write("CREATE (:Query)-[:CLICKED {clicks: 5}]->(i:Item)<-[:CLICKED]-(:Query) CREATE (i)-[:OTHER]->(:Anchor)")
    graph.write("MATCH (i:Item), (a:Anchor) CREATE (i)-[:$($name)]->(a)", name=NASTY)
    register(graph, [Relation(NASTY, "Item", "Anchor"), Relation("UNUSED", "Item", "Item")])
    assert count_graph(graph) == GraphCounts(2, 1, 1, 2, {NASTY: 1, "UNUSED": 0})
