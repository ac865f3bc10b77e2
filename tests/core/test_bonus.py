"""The bonus of items that nobody clicked."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.core.bonus import widen_items, widen_queries


def test_a_bonus_worked_by_hand():
    """Item 0 has clicks and gets its cosine 0.6; item 1 has none and gets its cosine 0.8 and β = 0.05 on top."""
    items = widen_items(np.array([[0.6, 0.8], [0.8, 0.6]], np.float32), np.array([3, 0]))
    queries = widen_queries(np.array([[1, 0]], np.float32), 0.05)
    np.testing.assert_allclose(items, [[0.6, 0.8, 0], [0.8, 0.6, 0.1]], rtol=1e-6)
    np.testing.assert_allclose(queries, [[1, 0, 0.5]], rtol=1e-6)
    np.testing.assert_allclose(queries @ items.T, [[0.6, 0.85]], rtol=1e-6)


@given(st.integers(0, 1000), st.floats(0, 0.3))
def test_the_dot_product_is_the_cosine_and_the_bonus(seed: int, bonus: float):
    """Whatever β, only items without clicks gain it, and β = 0 changes no score."""
    rng = np.random.default_rng(seed)
    items, queries = rng.normal(size=(6, 4)).astype(np.float32), rng.normal(size=(3, 4)).astype(np.float32)
    degree = rng.integers(0, 3, 6)
    scores = widen_queries(queries, bonus) @ widen_items(items, degree).T
    np.testing.assert_allclose(scores, queries @ items.T + bonus * (degree == 0), atol=1e-5)


def test_a_zero_vector_stays_zero():
    """A text without a known word gets no bonus to rank by."""
    assert not widen_queries(np.zeros((1, 4), np.float32), 0.1).any()
