"""Near items of training queries that they did not click."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from recsys.model import nearest_clicked as module
from recsys.model.nearest_clicked import KnownPairs, nearest_clicked


def test_known_pairs_are_clicks_and_what_is_excluded(twin):
    """Of any slice of the training queries, by their place in it."""
    clicks = twin.as_clicks()
    known = KnownPairs.of(clicks, twin.excluded)
    for some in (slice(0, 7), slice(7, len(clicks.queries))):
        rows = clicks.queries[some].tolist()
        expected = {(rows.index(q), i) for q, i in twin.clicks if q in rows}
        expected |= {
            (rows.index(q), i) for q, i in zip(twin.excluded.query, twin.excluded.item, strict=True) if q in rows
        }
        assert set(zip(*(side.tolist() for side in known(some)), strict=True)) == expected


@pytest.mark.parametrize("large", [0, 1 << 34])
def test_near_items_were_clicked_and_not_by_the_query(twin, monkeypatch: pytest.MonkeyPatch, large: int):
    """Whether a catalogue counts as large or not, and the same seed finds the same."""
    monkeypatch.setattr(module, "LARGE", large)
    clicks = twin.as_clicks()
    degree = clicks.per_item()[1]
    rng = np.random.default_rng(0)
    queries, items = (rng.normal(size=(n, 4)).astype(np.float32) for n in (len(clicks.queries), clicks.n_items))
    known = KnownPairs.of(clicks, twin.excluded)

    def found() -> np.ndarray:
        return nearest_clicked(queries, items, degree, known, torch.device("cpu"), 7)

    near = found()
    assert (near >= 0).any()
    assert (degree[near[near >= 0]] > 0).all()
    query = np.repeat(clicks.queries, near.shape[1])
    assert not set(zip(query, near.ravel(), strict=True)) & set(twin.clicks)
    np.testing.assert_array_equal(near, found())
