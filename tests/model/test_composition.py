"""Item vectors composed from the graph."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.model.clicks import Clicks
from recsys.model.composition import Composition, compose, lengths_of_sums, mean_of_queries, unit
from recsys.model.variants import ALPHAS, EVIDENCES


def vectors(n: int, seed: int, width: int = 5) -> np.ndarray:
    """Return random unit vectors."""
    return unit(np.random.default_rng(seed).normal(size=(n, width)).astype(np.float32))


def test_a_composition_worked_by_hand():
    """An item at (1, 0), clicked by a query at (0, 1) and one at (0.6, 0.8), moves as the formula says."""
    # mean (0.3, 0.9); n = 2, c = 2, α = 1: share 2/4, so (1, 0) + 0.5·(0.3, 0.9) = (1.15, 0.45), norm √1.525 = 1.234909
    clicks = Clicks(np.array([0, 1]), np.array([0, 0]), np.array([5, 1]), n_queries=2, n_items=2)
    mean = mean_of_queries(np.array([[0, 1], [0.6, 0.8]], np.float32), clicks)
    np.testing.assert_allclose(mean, [[0.3, 0.9], [0, 0]], rtol=1e-6)
    items = np.array([[1, 0], [0, 1]], np.float32)
    composed = compose(items, mean, clicks.per_item()[1], Composition(alpha=1.0, evidence=2.0))
    np.testing.assert_allclose(composed, [[0.931242, 0.364399], [0, 1]], rtol=1e-5)


def test_what_an_item_borrows_worked_by_hand():
    """With ρ = 0.5 the item of two queries gives a quarter to what it borrows, and one without any gives half."""
    # (1, 0) + 0.5·(0.3, 0.9) + 0.5·0.5·(0, 1) = (1.15, 0.7), norm √1.8125 = 1.346291; (0, 1) + 0.5·(1, 0), norm √1.25
    rows = ([[1, 0], [0, 1]], [[0.3, 0.9], [0, 0]], [[0, 1], [1, 0]])
    items, mean, near = (np.array(some, np.float32) for some in rows)
    how = Composition(alpha=1.0, evidence=2.0, borrowed=0.5)
    composed = compose(items, mean, np.array([2, 0]), how, borrowed_LD=near)
    np.testing.assert_allclose(composed, [[0.854199, 0.519947], [0.447214, 0.894427]], rtol=1e-5)
    lengths = lengths_of_sums(items, mean, np.array([2, 0]), how, near)
    np.testing.assert_allclose(lengths, [1.346291, 1.118034], rtol=1e-5)


@given(st.sets(st.tuples(st.integers(0, 7), st.integers(0, 5)), max_size=30), st.integers(0, 100))
def test_the_mean_is_that_of_the_clicking_queries(pairs: set[tuple[int, int]], seed: int):
    """Each clicking query counts once, whatever its clicks and wherever its pair stands; an item without any gets 0."""
    queries = vectors(8, seed)
    source, target = np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2).T
    mean = mean_of_queries(queries, Clicks(source, target, source + 1, 8, 6))
    for item in range(6):
        clicking = [q for q, i in pairs if i == item]
        np.testing.assert_allclose(mean[item], queries[clicking].mean(axis=0) if clicking else 0, atol=1e-6)


@given(st.integers(0, 100), st.builds(Composition, st.sampled_from([0.0, *ALPHAS]), st.sampled_from(EVIDENCES)))
def test_composed_vectors_have_unit_norm(seed: int, how: Composition):
    """Whatever α and c, every norm is 1, and an item without clicks keeps its own vector."""
    items, mean = vectors(20, seed), 0.7 * vectors(20, seed + 1)
    degree = np.random.default_rng(seed).integers(0, 5, 20)
    mean[degree == 0] = 0
    composed = compose(items, mean, degree, how)
    np.testing.assert_allclose(np.linalg.norm(composed, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(composed[degree == 0], items[degree == 0], atol=1e-6)
    assert composed.dtype == np.float32


@pytest.mark.parametrize("evidence", [0.0, 3.0])
def test_alpha_zero_leaves_the_items_plain(evidence: float):
    """Without weight the queries change nothing."""
    items = vectors(10, 0)
    composed = compose(items, vectors(10, 1), np.arange(10), Composition(0.0, evidence))
    np.testing.assert_allclose(composed, items, atol=1e-6)


def test_more_evidence_counts_more():
    """Between two items of the same vectors, the one with more clicking queries lies nearer to them."""
    items, mean = np.repeat(vectors(1, 0), 2, axis=0), np.repeat(vectors(1, 1), 2, axis=0)
    nearness = (compose(items, mean, np.array([1, 9]), Composition(2.0, 3.0)) * mean).sum(axis=1)
    assert nearness[1] > nearness[0]


def test_a_zero_row_stays_zero():
    """Scaling never divides by zero."""
    np.testing.assert_allclose(unit(np.array([[0, 0], [3, 4]], np.float32)), [[0, 0], [0.6, 0.8]])
