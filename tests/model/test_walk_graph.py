"""Walks over the relations of the graph."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.graph.adopt import adopt
from recsys.graph.client import Graph
from recsys.graph.relations import Relation, list_relations
from recsys.model import walk_graph as module
from recsys.model.batch_reader import BatchReader
from recsys.model.snapshot import take_snapshot
from recsys.model.walk import Bipartite, walk
from recsys.model.walk_graph import NothingToWalkError, NotWalkableError, Walked, walk_relation, walkable

CATEGORY = Relation("CATEGORY", "Query", "Anchor")
Visited = dict[tuple[int, int], int]


def walk_it(graph: Graph, *, seed: int = 3, chunk_rows: int = 100, dry_run: bool = False) -> Walked:
    """Walk on the categories of the queries."""
    return walk_relation(graph, CATEGORY, seed=seed, chunk_rows=chunk_rows, dry_run=dry_run, say=lambda line: None)


def stored(graph: Graph) -> Visited:
    """Return the visits that the graph holds, one relationship per pair."""
    records = graph.read(
        "MATCH (q:Query)-[r:CATEGORY_WALKED]->(a:Anchor) RETURN q.row AS q, a.row AS a, r.visits AS visits"
    )
    assert len({(r["q"], r["a"]) for r in records}) == len(records)
    return {(r["q"], r["a"]): r["visits"] for r in records}


def expected(pairs: set[tuple[int, int]], seed: int = 3) -> Visited:
    """Return the visits of walks over ``pairs``."""
    edges = Bipartite.from_edges(*np.array(sorted(pairs)).T, 60, 12)
    return {
        (int(start), int(anchor)): int(visits)
        for found in walk(edges, edges.linked, seed)
        for start, anchor, visits in zip(*vars(found).values(), strict=True)
    }


def test_walks_end_in_the_graph(small: Graph, twin):
    """The relation is registered as derived, with the visits of the walks; a dry run counts and writes nothing."""
    before = walk_it(small, dry_run=True)
    assert stored(small) == {}
    pairs = twin.links["CATEGORY", "Query"]
    found = walk_it(small, chunk_rows=7)
    assert stored(small) == expected(pairs)
    assert (found.raw_edges, found.hubs, found.removed, found.edges) == (len(pairs), 0, 0, len(stored(small)))
    assert (before.nodes, before.raw_edges, before.edges) == (found.nodes, found.raw_edges, 0)
    assert Relation("CATEGORY_WALKED", "Query", "Anchor", "derived") in list_relations(small)
    assert len(stored(small)) > len(pairs)


def test_later_links_change_what_is_kept(small: Graph, twin):
    """Walked again it is as if it were walked once over all links; what no longer holds is gone."""
    walk_it(small, seed=1)
    small.write("MATCH (q:Query {row: 3}), (a:Anchor {row: 0}) MERGE (q)-[:CATEGORY]->(a)")
    found = walk_it(small)
    now = expected(twin.links["CATEGORY", "Query"] | {(3, 0)})
    assert stored(small) == now
    assert found.edges == len(now)


def test_broken_off_anywhere_it_ends_the_same(small: Graph, twin, monkeypatch: pytest.MonkeyPatch):
    """Killed after a few chunks, the next run ends in the same visits."""
    write, written = module.write_weighted, 0

    def die(*arguments: object) -> None:
        nonlocal written
        write(*arguments)  # type: ignore[arg-type]  # handed through
        written += 1
        if written == 3:
            raise KeyboardInterrupt

    walk_it(small, seed=1)
    monkeypatch.setattr(module, "write_weighted", die)
    with pytest.raises(KeyboardInterrupt):
        walk_it(small, chunk_rows=20)
    monkeypatch.setattr(module, "write_weighted", write)
    walk_it(small)
    assert stored(small) == expected(twin.links["CATEGORY", "Query"])


def test_relations_can_be_chosen(small: Graph, twin, related):
    """All relations to anchors by default, none that is derived, and an unknown name says which there are."""
    walk_it(small)
    assert {(r.name, r.source) for r in walkable(small)} == set(twin.links)
    assert walkable(small, ["CATEGORY"]) == [Relation("CATEGORY", "Item", "Anchor"), CATEGORY]
    with pytest.raises(NotWalkableError, match=r"cannot walk on 'CO_CLICKED'; .*CATEGORY"):
        walkable(small, ["CATEGORY", "CO_CLICKED"])


def test_a_graph_without_links_is_refused(graph: Graph):
    """The error says what brings them."""
    with pytest.raises(NothingToWalkError, match="recsys ingest links"):
        walkable(graph)


@pytest.mark.parametrize("chosen", [["CATEGORY_WALKED"], ["CATEGORY"], ["CATEGORY", "CATEGORY_WALKED"]])
def test_masks_know_raw_and_walked_edges(small: Graph, twin, chosen: list[str]):
    """Whichever is drawn from, no edge of the other is a negative."""
    walk_it(small)
    walked = set(stored(small))
    full = twin.links["CATEGORY", "Query"] | walked
    reader = BatchReader(small, take_snapshot(small, chosen), twin.excluded)
    batch = reader.read(np.array(twin.clicked), np.random.default_rng(0))
    terms = [term for term in batch.terms if term.side == "query"]
    assert [term.relation for term in terms] == chosen
    for term in terms:
        edges = walked if term.relation == "CATEGORY_WALKED" else twin.links["CATEGORY", "Query"]
        drew = batch.query_B[term.draw.position_N]
        assert all(pair in edges for pair in zip(drew, term.draw.drawn_N, strict=True))
        assert term.draw.known_NN.tolist() == [[(row, anchor) in full for anchor in term.draw.drawn_N] for row in drew]


def test_a_new_query_does_not_take_over_walked_edges(small: Graph):
    """It gets the links of the item of its id, and no edges of walks, which another walk would not know."""
    small.write(
        "MATCH (i:Item {row: 0}), (a:Anchor {row: 1}) MERGE (i)-[:CATEGORY]->(a) MERGE (i)-[:CATEGORY_WALKED]->(a) "
        "MERGE (x:Relation {name: 'CATEGORY_WALKED', source: 'Item', target: 'Anchor', origin: 'derived'}) "
        "MERGE (c:RowCounter {label: 'Query'}) SET c.adopted = 0, i.id = 'new' "
        "CREATE (:Query {id: 'new', text: 'new', row: c.next}) SET c.next = c.next + 1"
    )
    adopt(small)
    types = small.read("MATCH (:Query {id: 'new'})-[r]->(:Anchor) RETURN DISTINCT type(r) AS t")
    assert "CATEGORY" in {record["t"] for record in types}
    assert "CATEGORY_WALKED" not in {record["t"] for record in types}
