"""Pruning of edges by the present encoder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys.graph.client import Graph
from recsys.graph.pages import Edges
from recsys.graph.relations import Relation
from recsys.model import prune as module
from recsys.model.batch_reader import BatchReader
from recsys.model.composition import unit
from recsys.model.prune import Pruning, cosines
from recsys.model.snapshot import take_snapshot

ROWS = {"Query": 60, "Item": 30, "Anchor": 12}
Table = dict[str, np.ndarray]


def table(seed: int) -> Table:
    """Return random unit vectors by label and row."""
    rng = np.random.default_rng(seed)
    return {label: unit(rng.normal(size=(rows, 4)).astype(np.float32)) for label, rows in ROWS.items()}


@pytest.fixture
def make(small: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a maker of prunings over the small graph, with a table of vectors for encoder."""

    def encode_rows(model: Table, features: Any, label: str, rows: np.ndarray, *_: Any):
        return model[label][rows]

    monkeypatch.setattr(module, "encode_rows", encode_rows)

    def build(vectors: Table, after: int = 10, every: int = 5) -> Pruning:
        how = {"after": after, "every": every, "directory": tmp_path, "batch_size": 8}
        return Pruning(vectors, {}, small, take_snapshot(small), **how)  # type: ignore[arg-type]

    return build


def page(pairs: set[tuple[int, int]]) -> Edges:
    """Return pairs as a page."""
    source, target = np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2).T
    return Edges(source, target, np.ones_like(source))


def kept(pruning: Pruning, twin) -> dict[tuple[str, str], set[tuple[int, int]]]:
    """Return the edges of each relation that are left."""
    left = {}
    for name, label in twin.links:
        edges = pruning.keep(Relation(name, label, "Anchor"), page(twin.links[name, label]))
        left[name, label] = set(zip(edges.source.tolist(), edges.target.tolist(), strict=True))
    return left


def alike(vectors: Table, twin) -> dict[tuple[str, str], set[tuple[int, int]]]:
    """Return the edges with a cosine above 0, one by one."""
    return {
        (name, label): {(s, t) for s, t in pairs if vectors[label][s] @ vectors["Anchor"][t] > 0}
        for (name, label), pairs in twin.links.items()
    }


def test_cosines_worked_by_hand(monkeypatch: pytest.MonkeyPatch):
    """Of unit vectors the dot product of each edge's ends, whatever the block."""
    monkeypatch.setattr(module, "_BLOCK", 2)
    nodes, anchors = np.array([[1.0, 0], [0.6, 0.8]]), np.array([[0.0, 1], [-1, 0], [0.8, 0.6]])
    edges = page({(0, 0), (0, 1), (1, 0), (1, 1), (1, 2)})
    assert cosines(nodes, anchors, edges) == pytest.approx([0, -1, 0.8, -0.6, 0.96])


def test_edges_between_unlike_ends_are_left_out(make, twin):
    """What is left are exactly the edges with a cosine above 0, of every relation and side."""
    vectors = table(1)
    pruning = make(vectors)
    pruning.start(10)
    assert kept(pruning, twin) == alike(vectors, twin)
    assert alike(vectors, twin) != twin.links


def test_nothing_is_pruned_in_the_warm_up(make, twin):
    """Up to the ninth epoch all edges are drawn from, and nothing is encoded."""
    pruning = make({})
    for epoch in (0, 9):
        pruning.start(epoch)
        assert kept(pruning, twin) == twin.links


def test_an_edge_may_come_back(make, twin):
    """Each look begins with all edges: under later weights those are left that are alike then."""
    vectors = table(1)
    pruning = make(vectors)
    pruning.start(10)
    vectors.update(table(2))
    pruning.start(14)
    assert kept(pruning, twin) == alike(table(1), twin)
    pruning.start(15)
    now = kept(pruning, twin)
    assert now == alike(table(2), twin)
    assert any(now[key] - alike(table(1), twin)[key] for key in now)


def test_what_was_pruned_is_kept_until_its_turn_comes(make, twin):
    """Started again with other weights, epoch 13 draws from what epoch 10 left."""
    make(table(1)).start(10)
    later = make(table(2))
    later.start(13)
    assert kept(later, twin) == alike(table(1), twin)


def test_a_pruned_edge_is_ignored_and_not_pushed(make, small: Graph, twin):
    """A batch draws what is left alone, and still masks every edge of the graph."""
    vectors = table(1)
    pruning = make(vectors, after=0)
    reader = BatchReader(small, take_snapshot(small), twin.excluded, pruning=pruning)
    reader.start(0)
    left = alike(vectors, twin)
    pruned_and_masked = 0
    for seed in range(5):
        batch = reader.read(np.array(twin.clicked), np.random.default_rng(seed))
        assert batch.terms
        for term in batch.terms:
            key = (term.relation, term.side.capitalize())
            drew = (batch.query_B if term.side == "query" else batch.item_B)[term.draw.position_N]
            assert all(pair in left[key] for pair in zip(drew, term.draw.drawn_N, strict=True))
            expected = [[(row, anchor) in twin.links[key] for anchor in term.draw.drawn_N] for row in drew]
            assert term.draw.known_NN.tolist() == expected
            pruned_and_masked += sum((r, a) in twin.links[key] - left[key] for r in drew for a in term.draw.drawn_N)
    assert pruned_and_masked > 0
