"""Samples of the edges of nodes with very many."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.graph.client import Graph
from recsys.graph.hubs import PRIME, edges_between, find_hubs, lowest_hashed, sampled_neighbours
from recsys.graph.pages import Kind, neighbours

CLICKS: Kind = ("CLICKED", "Item")
SEEN: Kind = ("SEEN", "Query")
STOPS = {"Query": 4, "Item": 60}
LINK = (
    "UNWIND $rows AS e MATCH (s:Query {row: e[0]}) MATCH (t:Item {row: e[1]}) CREATE (s)-[:CLICKED {clicks: e[1]}]->(t)"
)


@pytest.fixture
def hub(graph: Graph) -> Graph:
    """Query 1 clicked 60 items and has seen three queries, query 2 clicked seven, query 3 nothing."""
    graph.write("UNWIND range(0, 3) AS r CREATE (:Query {id: 'q' + r, row: r})")
    graph.write("UNWIND range(0, 59) AS r CREATE (:Item {id: 'i' + r, row: r})")
    graph.write(LINK, rows=[[1, item] for item in range(60)] + [[2, item] for item in range(7)])
    graph.write("MATCH (s:Query {row: 1}) MATCH (t:Query) WHERE t.row <> 1 CREATE (s)-[:SEEN]->(t)")
    return graph


def sample(graph: Graph, salt: int, cap: int = 10) -> list[tuple[int, int]]:
    """Return what is read of queries 2 and 1."""
    edges = sampled_neighbours(graph, "Query", [2, 1], [CLICKS, SEEN], STOPS, cap, salt)[CLICKS]
    assert edges.clicks.tolist() == edges.target.tolist()
    return list(zip(edges.source.tolist(), edges.target.tolist(), strict=True))


def test_a_hub_gives_a_sample_and_others_all(hub: Graph):
    """Ten of the sixty items, each once and in order; all seven of the other query, and all of a smaller relation."""
    found = sample(hub, salt=3)
    assert found == sorted(set(found))
    assert [target for source, target in found if source == 2] == list(range(7))
    assert len([target for source, target in found if source == 1]) == 10
    seen = sampled_neighbours(hub, "Query", [1], [SEEN], STOPS, 10, 3)[SEEN]
    assert seen.target.tolist() == [0, 2, 3]
    assert sampled_neighbours(hub, "Query", [3], [SEEN], STOPS, 10, 3)[SEEN].target.tolist() == []


def test_storage_and_later_nodes_do_not_change_a_sample(hub: Graph):
    """The same salt gives the same edges after they were stored the other way round and the graph grew."""
    before = sample(hub, salt=5)
    hub.write("MATCH (:Query)-[c:CLICKED]->() DELETE c")
    hub.write("UNWIND range(60, 90) AS r CREATE (:Item {id: 'i' + r, row: r})")
    hub.write(LINK, rows=[[1, item] for item in range(90, -1, -1)] + [[2, item] for item in range(6, -1, -1)])
    assert sample(hub, salt=5) == before
    assert sample(hub, salt=6) != before


@pytest.mark.parametrize("cap", [1, 7, 10, 60])
@pytest.mark.parametrize("stop", [40, 60])
def test_a_sample_of_whole_rows_is_the_servers(hub: Graph, cap: int, stop: int):
    """Drawn here from all edges, it is edge by edge what the server sorts out, for large salts and small ones."""
    whole = neighbours(hub, "Query", [1, 2], [CLICKS])[CLICKS]
    for salt in (0, 1, 69_621, PRIME - 1):
        expected = sampled_neighbours(hub, "Query", [1, 2], [CLICKS], {**STOPS, "Item": stop}, cap, salt)[CLICKS]
        np.testing.assert_equal(vars(lowest_hashed(whole, stop, cap, salt)), vars(expected))


def test_every_edge_is_as_likely(hub: Graph):
    """Over 200 samples of 10 among 60, χ² stays below 98.3, the 0.1 % point at 59 degrees of freedom."""
    salts = np.random.default_rng(1).integers(PRIME, size=200)
    counts = np.zeros(60)
    for salt in salts.tolist():
        edges = sampled_neighbours(hub, "Query", [1], [CLICKS], STOPS, 10, salt)[CLICKS]
        counts[edges.target] += 1
    assert counts.sum() == 2000
    assert ((counts - counts.mean()) ** 2 / counts.mean()).sum() < 98.3


def test_hubs_are_told_by_their_edges_of_all_kinds(hub: Graph):
    """Query 1 has 63, query 2 has seven; rows of later nodes stay out."""
    assert find_hubs(hub, "Query", 4, 62).tolist() == [1]
    assert find_hubs(hub, "Query", 4, 63).tolist() == []
    assert find_hubs(hub, "Query", 4, 6).tolist() == [1, 2]
    assert find_hubs(hub, "Query", 2, 6).tolist() == [1]


def test_edges_between_rows_and_columns(hub: Graph):
    """Of the items asked for, those that each query clicked."""
    found = edges_between(hub, "Query", [1, 2, 3], CLICKS, [5, 6, 7, 59])
    pairs = list(zip(found.source.tolist(), found.target.tolist(), strict=True))
    assert pairs == [(1, 5), (1, 6), (1, 7), (1, 59), (2, 5), (2, 6)]
