"""Batches read from the live graph."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from recsys.graph.client import Graph
from recsys.model.batch import Batch
from recsys.model.batch_reader import BatchReader
from recsys.model.snapshot import take_snapshot
from recsys.model.two_hop import TwoHop


class Near:
    """Stands where the hard negatives do: query row q draws item (7 q) mod 30."""

    def draw(self, query_B: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw."""
        return 7 * query_B % 30


def read(graph: Graph, twin, rows: list[int], seed: int = 3, relations: list[str] | None = None) -> Batch:
    """Read one batch of the present snapshot."""
    reader = BatchReader(graph, take_snapshot(graph, relations), twin.excluded)
    return reader.read(np.array(rows), np.random.default_rng(seed))


def assert_same(one: Batch, other: Batch) -> None:
    """Two batches are equal to the last bit."""
    np.testing.assert_equal(vars(one) | {"terms": None}, vars(other) | {"terms": None})
    assert [(t.relation, t.side, t.anchor) for t in one.terms] == [(t.relation, t.side, t.anchor) for t in other.terms]
    for mine, theirs in zip(one.terms, other.terms, strict=True):
        np.testing.assert_equal(vars(mine.draw), vars(theirs.draw))


@pytest.mark.parametrize("seed", range(4))
def test_a_batch_equals_brute_force(small: Graph, twin, seed: int):
    """Items and anchors are neighbours, and masks are the graph's edges plus the page itself."""
    rows = np.random.default_rng(seed).permutation(twin.clicked)[:24].tolist()
    batch = read(small, twin, rows, seed)
    assert batch.query_B.tolist() == rows
    assert all(pair in twin.clicks for pair in zip(rows, batch.item_B.tolist(), strict=True))
    expected = [[(q, i) in twin.clicks or twin.self_items[q] == i for i in batch.item_B] for q in rows]
    assert batch.known_BB.tolist() == expected
    assert {(t.relation, t.side.capitalize()) for t in batch.terms} == set(twin.links)
    for term in batch.terms:
        side = batch.query_B if term.side == "query" else batch.item_B
        links = twin.links[term.relation, term.side.capitalize()]
        linked = {source for source, _ in links}
        assert term.draw.position_N.tolist() == [p for p, row in enumerate(side) if row in linked]
        drew = side[term.draw.position_N]
        assert all(pair in links for pair in zip(drew, term.draw.drawn_N, strict=True))
        assert term.draw.known_NN.tolist() == [[(row, a) in links for a in term.draw.drawn_N] for row in drew]


@pytest.mark.parametrize("seed", range(3))
def test_queries_draw_queries_and_items_draw_items(small: Graph, twin, related, seed: int):
    """Within a label a row draws neighbours that are not held out; masked are all of them and the row itself."""
    out = np.arange(60) % 4 == 1
    rows = [row for row in np.random.default_rng(seed).permutation(twin.clicked).tolist() if not out[row]][:30]
    reader = BatchReader(small, take_snapshot(small, list(related)), twin.excluded, out)
    batch = reader.read(np.array(rows), np.random.default_rng(seed))
    assert [(t.relation, t.side, t.anchor) for t in batch.terms] == [
        ("SAME_SESSION", "query", "Query"),
        ("CO_CLICKED", "item", "Item"),
    ]
    for term in batch.terms:
        side = batch.query_B if term.side == "query" else batch.item_B
        edges = {(a, b) for a, b in related[term.relation] if term.side == "item" or not out[b]}
        drew = side[term.draw.position_N]
        assert term.draw.position_N.tolist() == [p for p, row in enumerate(side) if any(a == row for a, _ in edges)]
        assert all(pair in edges for pair in zip(drew, term.draw.drawn_N, strict=True))
        expected = [[(row, d) in edges or row == d for d in term.draw.drawn_N] for row in drew]
        assert term.draw.known_NN.tolist() == expected
        assert any(row == d for row in drew for d in term.draw.drawn_N)


def test_a_page_is_not_its_own_negative(small: Graph, twin):
    """Where a query never clicked its own page, the pair is masked all the same."""
    rows = [q for q in range(5) if (q, q) in twin.clicks]
    small.write("MATCH (q:Query {row: 0})-[c:CLICKED]->(:Item {row: 0}) DELETE c")
    clicker = next(q for q, i in sorted(twin.clicks) if i == 0 and q > 0)
    small.write("MATCH (q:Query {row: $row})-[c:CLICKED]->(i:Item) WHERE i.row > 0 DELETE c", row=clicker)
    batch = read(small, twin, [0, clicker])
    assert 0 in rows
    assert batch.item_B[1] == 0
    assert batch.known_BB[0, 1]


def test_the_order_of_storage_does_not_matter(small: Graph, twin, rewrite: Callable[..., None]):
    """The same edges stored the other way round give the same batch."""
    rows = twin.clicked[:30]
    before = read(small, twin, rows)
    rewrite(backwards=True)
    assert_same(before, read(small, twin, rows))


def test_nodes_beyond_the_snapshot_stay_out(small: Graph, twin, grow: Callable[[Graph], None]):
    """What is ingested after the snapshot changes no batch of it, though the reader sees it."""
    rows = twin.clicked[:30]
    reader = BatchReader(small, take_snapshot(small), twin.excluded)
    before = reader.read(np.array(rows), np.random.default_rng(0))
    grow(small)
    assert_same(before, reader.read(np.array(rows), np.random.default_rng(0)))
    now = [read(small, twin, rows, seed).item_B for seed in range(3)]
    assert 30 in np.concatenate(now)


def test_only_chosen_relations_make_terms(small: Graph, twin):
    """Relations that are not in the snapshot are not drawn from, and none leaves clicks alone with the same items."""
    rows = twin.clicked[:20]
    assert {t.relation for t in read(small, twin, rows, relations=["CATEGORY"]).terms} == {"CATEGORY"}
    alone, full = read(small, twin, rows, relations=[]), read(small, twin, rows)
    assert list(alone.terms) == []
    np.testing.assert_equal(alone.item_B, full.item_B)
    assert full.nbytes > alone.nbytes == 20 * 8 + 20 * 8 + 400


def test_a_term_needs_two_rows(small: Graph, twin):
    """A relation in which only one row drew has no negatives and is left out."""
    links = twin.links["CATEGORY", "Query"]
    linked = {source for source, _ in links}
    with_link = next(q for q in twin.clicked if q in linked)
    without = next(q for q in twin.clicked if q not in linked)
    batch = read(small, twin, [with_link, without])
    assert ("CATEGORY", "query") not in {(t.relation, t.side) for t in batch.terms}


@pytest.mark.parametrize("composed", [False, True])
def test_hard_items_are_further_columns_for_every_row(small: Graph, twin, composed: bool):
    """Each stands once, none is an item of the batch, known clicks and the page itself are masked, clickers clicked."""
    rows = twin.clicked[:12]
    two_hop = TwoHop(twin.as_clicks()) if composed else None
    reader = BatchReader(small, take_snapshot(small, []), twin.excluded, None, two_hop, Near())  # type: ignore[arg-type]
    batch = reader.read(np.array(rows), np.random.default_rng(3))
    assert batch.hard is not None
    items = batch.hard.item_H.tolist()
    assert items == sorted({7 * q % 30 for q in rows} - set(batch.item_B.tolist()))
    expected = [[(q, i) in twin.clicks or twin.self_items[q] == i for i in items] for q in rows]
    assert batch.hard.known_BH.tolist() == expected
    assert any(map(any, expected))
    clickers = zip(batch.hard.clicker_N, batch.hard.item_H[batch.hard.position_N], strict=True)
    assert all(pair in twin.clicks for pair in clickers)
    assert (len(batch.hard.position_N) > 0) == composed
    assert batch.nbytes > read(small, twin, rows, relations=[]).nbytes


def test_hard_items_that_the_batch_holds_already_are_left_out(small: Graph, twin):
    """Where nothing further is left there are no hard columns, and the rest of the batch is as without them."""
    same = type("Same", (), {"draw": lambda _, query_B, rng: np.arange(30)[np.isin(np.arange(30), held)]})()
    plain = read(small, twin, twin.clicked[:20], relations=[])
    held = plain.item_B
    reader = BatchReader(small, take_snapshot(small, []), twin.excluded, hard_negatives=same)
    batch = reader.read(np.array(twin.clicked[:20]), np.random.default_rng(3))
    assert batch.hard is None
    assert_same(plain, batch)
