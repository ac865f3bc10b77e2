"""Batches where rows have more neighbours than the cap."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recsys.graph.client import Graph
from recsys.model import near
from recsys.model.batch import Batch
from recsys.model.batch_reader import BatchReader
from recsys.model.page_cache import PageCache
from recsys.model.snapshot import take_snapshot

CAP = 2


def read(graph: Graph, twin, cap: int | None, epoch: int = 0, pages: PageCache | None = None) -> Batch:
    """Read one batch of all queries with clicks."""
    reader = BatchReader(graph, take_snapshot(graph), twin.excluded, degree_cap=cap, seed=9, pages=pages)
    reader.start(epoch)
    return reader.read(np.array(twin.clicked), np.random.default_rng(3))


@pytest.mark.parametrize("epoch", range(3))
def test_masks_know_what_was_not_read(small: Graph, twin, epoch: int):
    """With a cap of two, items and anchors are neighbours, and masks are those of the whole graph."""
    batch = read(small, twin, CAP, epoch)
    rows, items = batch.query_B.tolist(), batch.item_B.tolist()
    assert all(pair in twin.clicks for pair in zip(rows, items, strict=True))
    assert batch.known_BB.tolist() == [[(q, i) in twin.clicks or twin.self_items[q] == i for i in items] for q in rows]
    assert len(batch.terms) == 4
    for term in batch.terms:
        links = twin.links[term.relation, term.side.capitalize()]
        side = batch.query_B if term.side == "query" else batch.item_B
        drew = side[term.draw.position_N]
        assert all(pair in links for pair in zip(drew, term.draw.drawn_N, strict=True))
        assert term.draw.known_NN.tolist() == [[(row, a) in links for a in term.draw.drawn_N] for row in drew]


def test_an_epoch_draws_from_a_sample_and_the_next_from_another(small: Graph, twin):
    """However often a query draws, one epoch gives it two items at most; all epochs together give it all."""
    reader = BatchReader(small, take_snapshot(small, []), twin.excluded, degree_cap=CAP, seed=9)
    drawn: dict[int, dict[int, set[int]]] = {}
    for epoch in range(30):
        reader.start(epoch)
        for number in range(3):
            batch = reader.read(np.array(twin.clicked), np.random.default_rng([epoch, number]))
            for query, item in zip(batch.query_B.tolist(), batch.item_B.tolist(), strict=True):
                drawn.setdefault(query, {}).setdefault(epoch, set()).add(item)
    for query, by_epoch in drawn.items():
        assert all(len(items) <= CAP for items in by_epoch.values())
        assert set.union(*by_epoch.values()) == {item for q, item in twin.clicks if q == query}


@pytest.mark.parametrize(("whole", "limit"), [(100_000, 1 << 20), (3, 1 << 20), (100_000, 64)])
def test_hubs_on_disk_give_the_same_batches(
    small: Graph, twin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: int, limit: int
):
    """Whether hubs are kept whole, are too large, or there is no room: drawn and masked as by the server."""
    monkeypatch.setattr(near, "WHOLE", whole)
    pages = PageCache(tmp_path, take_snapshot(small).rows, limit)
    for epoch in (0, 1, 1):
        for one, other in zip(
            flat(read(small, twin, CAP, epoch, pages)), flat(read(small, twin, CAP, epoch)), strict=True
        ):
            np.testing.assert_equal(one, other)


def test_a_hub_on_disk_is_not_asked_for_again(small: Graph, twin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Once all rows were read, batches of any epoch are drawn and masked without the graph."""
    pages = PageCache(tmp_path, take_snapshot(small).rows, 1 << 20)
    reader = BatchReader(small, take_snapshot(small), twin.excluded, degree_cap=CAP, seed=9, pages=pages)
    items = np.arange(take_snapshot(small).rows["Item"])
    reader.read(np.array(twin.clicked), np.random.default_rng(0))
    reader._near.read("Item", items, [(name, "Anchor") for name, side in twin.links if side == "Item"])
    monkeypatch.setattr(small, "read", None)
    for epoch in range(3):
        reader.start(epoch)
        reader.read(np.array(twin.clicked), np.random.default_rng(epoch))


def test_a_cap_that_nobody_reaches_changes_nothing(small: Graph, twin):
    """The batch is the same to the last bit."""
    for one, other in zip(flat(read(small, twin, 500)), flat(read(small, twin, None)), strict=True):
        np.testing.assert_equal(one, other)


def flat(batch: Batch) -> list[object]:
    """Return all that was drawn."""
    return [batch.query_B, batch.item_B, batch.known_BB, *(vars(term.draw) for term in batch.terms)]
