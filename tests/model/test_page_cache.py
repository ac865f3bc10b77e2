"""Neighbours that are kept on disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.graph.client import Graph
from recsys.graph.pages import Edges, Kind, sorted_edges
from recsys.model.batch_reader import BatchReader
from recsys.model.page_cache import PageCache
from recsys.model.snapshot import take_snapshot

KINDS: Sequence[Kind] = (("CLICKED", "Item"), ("topic", "Anchor"), ("empty", "Item"))
N = 12
pairs = st.sets(st.tuples(st.integers(0, N - 1), st.integers(0, 30)), max_size=40)
reads = st.lists(
    st.tuples(st.sets(st.integers(0, N - 1), min_size=1), st.sets(st.integers(0, 2), min_size=1)), max_size=6
)


class Store:
    """A graph in memory that notes what it is asked."""

    def __init__(self, clicked: set[tuple[int, int]], topics: set[tuple[int, int]]) -> None:
        self.edges = {KINDS[0]: clicked, KINDS[1]: topics, KINDS[2]: set()}
        self.asked: list[int] = []

    def fetch(self, rows: np.ndarray, kinds: Sequence[Kind]) -> dict[Kind, Edges]:
        """Return the edges of ``rows``."""
        self.asked += rows.tolist()
        return {kind: self.of(kind, rows.tolist()) for kind in kinds}

    def of(self, kind: Kind, rows: Sequence[int]) -> Edges:
        """Return the edges of one kind; clicks are made of both ends."""
        some = sorted(pair for pair in self.edges[kind] if pair[0] in rows)
        return sorted_edges(
            {"source": [s for s, _ in some], "target": [t for _, t in some], "clicks": [7 * s + t for s, t in some]}
        )


@given(pairs, pairs, reads, st.sampled_from([0, 64, 1 << 20]))
def test_what_is_held_is_what_the_graph_would_say(clicked, topics, asked, limit):
    """Whatever was read before, in whatever parts and kinds, the edges are those of the graph, whole rows in order."""
    store = Store(clicked, topics)
    with TemporaryDirectory() as directory:
        pages = PageCache(Path(directory), {"Query": N}, limit)
        for rows, chosen in asked:
            kinds = [KINDS[k] for k in sorted(chosen)]
            shuffled = np.random.default_rng(1).permutation(sorted(rows))
            found = pages.read("Query", shuffled, kinds, lambda some, kinds=kinds: store.fetch(some, kinds))
            assert list(found) == kinds
            for kind in kinds:
                same(found[kind], store.of(kind, sorted(rows)))


def same(one: Edges, other: Edges) -> None:
    """Assert that both hold the same edges in the same order."""
    for name, values in vars(one).items():
        np.testing.assert_array_equal(values, getattr(other, name))


def test_the_graph_is_asked_once_for_each_row_and_kind(tmp_path: Path):
    """A row without edges counts as read too; beyond the limit each read asks."""
    store = Store({(0, 3), (2, 1), (2, 5)}, set())

    def read(pages: PageCache, rows: Sequence[int]) -> Mapping[Kind, Edges]:
        return pages.read("Query", np.array(rows), KINDS[:1], lambda some: store.fetch(some, KINDS[:1]))

    pages = PageCache(tmp_path, {"Query": N}, 1 << 20)
    for rows in ([2, 0], [0, 1, 2], [1, 2]):
        read(pages, rows)
    assert store.asked == [0, 2, 1]
    full = PageCache(tmp_path, {"Query": N}, 8)
    for rows in ([2], [0], [0], [2]):
        read(full, rows)
    assert store.asked == [0, 2, 1, 2, 0, 0]


@pytest.mark.parametrize("cap", [None, 2])
def test_batches_are_the_same_with_and_without(small: Graph, twin, tmp_path: Path, cap: int | None):
    """Every draw and mask of three epochs is the same, sampled hubs included."""
    snapshot = take_snapshot(small)
    made = []
    for pages in (None, PageCache(tmp_path, snapshot.rows, 1 << 20)):
        reader = BatchReader(small, snapshot, twin.excluded, degree_cap=cap, seed=9, pages=pages)
        for epoch in range(3):
            reader.start(epoch)
            batch = reader.read(np.array(twin.clicked), np.random.default_rng([3, epoch]))
            made.append([batch.query_B, batch.item_B, batch.known_BB, *(vars(term.draw) for term in batch.terms)])
    for one, other in zip(made[:3], made[3:], strict=True):
        for mine, theirs in zip(one, other, strict=True):
            np.testing.assert_equal(mine, theirs)
