"""The bonus of new and of popular items."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.core.bonus import Bonus, widen_items, widen_queries


def test_a_bonus_worked_by_hand():
    """β = 0.05 for the item that nobody clicked, and 0.02 · ln 4 = 0.027726 for the one of three queries."""
    items = widen_items(np.array([[0.6, 0.8], [0.8, 0.6]], np.float32), np.array([3, 0]))
    queries = widen_queries(np.array([[1, 0]], np.float32), Bonus(0.05, 0.02))
    np.testing.assert_allclose(items, [[0.6, 0.8, 0, 0.0138629], [0.8, 0.6, 0.1, 0]], rtol=1e-5)
    np.testing.assert_allclose(queries, [[1, 0, 0.5, 2]], rtol=1e-6)
    np.testing.assert_allclose(queries @ items.T, [[0.627726, 0.85]], rtol=1e-6)


@given(st.integers(0, 1000), st.floats(0, 0.3), st.sampled_from([0.0, 0.02, 0.3]))
def test_the_dot_product_is_the_cosine_and_the_bonus(seed: int, new: float, popular: float):
    """Whatever β and γ, items gain what the formula says, and two zeros change no score."""
    rng = np.random.default_rng(seed)
    items, queries = rng.normal(size=(6, 4)).astype(np.float32), rng.normal(size=(3, 4)).astype(np.float32)
    degree, bonus = rng.integers(0, 3, 6), Bonus(new, popular)
    scores = widen_queries(queries, bonus) @ widen_items(items, degree).T
    np.testing.assert_allclose(scores, queries @ items.T + bonus.of_items(degree), atol=1e-5)


def test_popularity_is_by_logarithm():
    """Ten times as many queries bring the same on top again, about; without γ only new items gain."""
    some = np.array([0, 9, 99])
    assert Bonus(1, 0.5).of_items(some) == pytest.approx([1, 0.5 * np.log(10), 0.5 * np.log(100)])
    assert Bonus(1).of_items(some).tolist() == [1, 0, 0]
    assert Bonus(0, 0.5)
    assert not Bonus()


def test_a_zero_vector_stays_zero():
    """A text without a known word gets no bonus to rank by."""
    assert not widen_queries(np.zeros((1, 4), np.float32), Bonus(0.1, 0.1)).any()
