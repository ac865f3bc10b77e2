"""Packed pages hold exactly the graph's nodes and edges."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from recsys.graph import pages
from recsys.graph.client import Graph
from recsys.graph.pages import Edges, count_rows, edge_pages, neighbours, node_pages

NASTY = 'x"}) DETACH DELETE (n) //'
Triples = list[tuple[int, int, int]]


@pytest.fixture
def edges(graph: Graph) -> Triples:
    """Store 20 queries, 30 items and random clicks in random order; return the clicks sorted."""
    rng = np.random.default_rng(5)
    drawn = {(int(s), int(t)): int(c) for s, t, c in rng.integers((0, 0, 1), (20, 30, 9), (120, 3))}
    triples = sorted((s, t, c) for (s, t), c in drawn.items())
    graph.write("UNWIND range(0, 19) AS r CREATE (:Query {id: 'q' + r, row: r, text: 'text ' + r})")
    graph.write("UNWIND range(29, 0, -1) AS r CREATE (:Item {id: 'i' + r, row: r, price: r})")
    graph.write(
        "UNWIND $rows AS e MATCH (s:Query {row: e[0]}) MATCH (t:Item {row: e[1]}) "
        "CREATE (s)-[:CLICKED {clicks: e[2]}]->(t)",
        rows=[list(triples[i]) for i in rng.permutation(len(triples))],
    )
    return triples


def unpack(page: Edges) -> Triples:
    """Return the page as a list of (source, target, clicks)."""
    return list(zip(page.source.tolist(), page.target.tolist(), page.clicks.tolist(), strict=True))


@pytest.mark.parametrize("page_rows", [1, 7, 20, 1000])
def test_edge_pages_equal_the_edges(graph: Graph, edges: Triples, monkeypatch: pytest.MonkeyPatch, page_rows: int):
    """Whatever the page size and the order of storage, the pages in sequence are the sorted edges."""
    monkeypatch.setattr(pages, "PAGE_ROWS", page_rows)
    found = [triple for page in edge_pages(graph, "CLICKED", "Query", "Item", 20) for triple in unpack(page)]
    assert found == edges


def test_edge_pages_stop_at_the_snapshot(graph: Graph, edges: Triples):
    """Edges of later source rows stay out."""
    found = [triple for page in edge_pages(graph, "CLICKED", "Query", "Item", 11) for triple in unpack(page)]
    assert found == [triple for triple in edges if triple[0] < 11]


def test_neighbours_of_scattered_rows_equal_the_edges(graph: Graph, edges: Triples):
    """Rows in any order give their edges, sorted; relations without edges are empty, unknown rows ignored."""
    found = neighbours(graph, "Query", [13, 2, 7, 99], [("CLICKED", "Item"), (NASTY, "Query")])
    assert unpack(found["CLICKED", "Item"]) == [triple for triple in edges if triple[0] in (2, 7, 13)]
    assert unpack(found[NASTY, "Query"]) == []
    assert neighbours(graph, "Query", [1], []) == {}


@pytest.mark.parametrize(
    "name", [NASTY, "`]->() DETACH DELETE (s) //", "\\u0060]->() DELETE s //", "WHERE", "größe", "1st"]
)
def test_a_relation_named_like_cypher_is_only_a_name(graph: Graph, edges: Triples, name: str):
    """Such a relation is written and read as any other, and an edge without clicks counts as one."""
    graph.write("MATCH (s:Query {row: 3}), (t:Query {row: 4}) CREATE (s)-[:$($name)]->(t)", name=name)
    (page,) = edge_pages(graph, name, "Query", "Query", 20)
    assert unpack(page) == [(3, 4, 1)]
    assert unpack(neighbours(graph, "Query", [3], [(name, "Query")])[name, "Query"]) == [(3, 4, 1)]
    assert sum(len(p.source) for p in edge_pages(graph, "CLICKED", "Query", "Item", 20)) == len(edges)


def test_node_pages_are_in_row_order(graph: Graph, edges: Triples, monkeypatch: pytest.MonkeyPatch):
    """Rows ascend over all pages, an item without text goes by its id, and properties leave id, text and row out."""
    monkeypatch.setattr(pages, "PAGE_ROWS", 8)
    found = list(node_pages(graph, "Item", 25, properties=True))
    rows = [row for page in found for row in page.rows.tolist()]
    assert rows == list(range(25))
    assert all(a < b for a, b in pairwise(rows))
    assert [text for page in found for text in page.texts] == [f"i{row}" for row in rows]
    assert [p for page in found for p in page.properties] == [{"price": row} for row in rows]
    queries = [text for page in node_pages(graph, "Query", 3) for text in page.texts]
    assert queries == ["text 0", "text 1", "text 2"]


def test_rows_are_counted_by_the_counter(graph: Graph):
    """The next free row is the number of rows."""
    graph.write("MATCH (c:RowCounter {label: 'Query'}) SET c.next = 20")
    assert count_rows(graph, "Query") == 20


def test_neighbours_of_one_relation_keep_their_labels_apart(graph: Graph, edges: Triples):
    """A relation that leads to two labels is two kinds: rows of one are never taken for rows of the other."""
    graph.write("MATCH (s:Query {row: 3}), (t:Query {row: 4}) CREATE (s)-[:SEEN]->(t)")
    graph.write("MATCH (s:Query {row: 3}), (t:Item {row: 5}) CREATE (s)-[:SEEN]->(t)")
    found = neighbours(graph, "Query", [3], [("SEEN", "Query"), ("SEEN", "Item")])
    assert unpack(found["SEEN", "Query"]) == [(3, 4, 1)]
    assert unpack(found["SEEN", "Item"]) == [(3, 5, 1)]
