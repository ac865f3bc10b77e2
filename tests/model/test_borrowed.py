"""What items borrow from those like them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.model import nearest_clicked as module
from recsys.model.borrowed import means_of_nearest
from recsys.model.composition import unit


def test_a_borrowed_mean_worked_by_hand(monkeypatch: pytest.MonkeyPatch):
    """Of two lenders each item takes the mean, itself left out; what nobody clicked lends nothing."""
    monkeypatch.setattr(module, "NEAREST", 2)
    items = unit(np.array([[1, 0], [1, 0.1], [1, 0.2], [1, 0.3], [0, 1]], np.float32))
    mean = np.array([[1, 0], [0, 0], [0, 1], [0, 0.5], [9, 9]], np.float32)
    found = means_of_nearest(items, mean, np.array([3, 0, 1, 1, 5]))
    # item 0 takes of 2 and 3, item 1 of 0 and 2, item 2 of 0 and 3, item 3 of 0 and 2, item 4 of 2 and 3
    np.testing.assert_allclose(found, [[0, 0.75], [0.5, 0.5], [0.5, 0.25], [0.5, 0.5], [0, 0.75]])


@given(st.integers(0, 1000), st.integers(2, 40), st.sampled_from([0, 1 << 34]))
def test_all_others_lend_where_they_are_few(seed: int, n: int, large: int):
    """Of up to as many clicked items as are looked for, each item takes the mean of all but itself, 0 of none."""
    rng = np.random.default_rng(seed)
    items = unit(rng.normal(size=(n, 6)).astype(np.float32))
    mean, degree = rng.normal(size=(n, 6)).astype(np.float32), np.where(np.arange(n) < 20, rng.integers(0, 3, n), 0)
    degree[0] = 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "LARGE", large)
        found = means_of_nearest(items, mean, degree)
    for item in range(n):
        lend = np.flatnonzero((degree > 0) & (np.arange(n) != item))
        np.testing.assert_allclose(found[item], mean[lend].mean(axis=0) if len(lend) else 0, atol=1e-5)
