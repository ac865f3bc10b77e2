"""Balanced clusters."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from recsys.model.clusters import balanced_clusters
from recsys.model.composition import unit


@pytest.mark.parametrize("seed", range(6))
def test_four_directions_worked_by_hand(seed: int):
    """Eight rows in four pairs at 0°, 20°, 180° and 200°: clusters of 4 are the halves, those of 2 the pairs."""
    degrees = np.array([0, 180, 22, 202, 2, 182, 20, 200])
    vectors = np.stack([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], axis=1).astype(np.float32)
    halves = balanced_clusters(vectors, 4, np.random.default_rng(seed))
    pairs = balanced_clusters(vectors, 2, np.random.default_rng(seed))
    for clusters, groups in ((halves, [(0, 2, 4, 6), (1, 3, 5, 7)]), (pairs, [(0, 4), (2, 6), (1, 5), (3, 7)])):
        assert {tuple(np.flatnonzero(clusters == c)) for c in clusters} == set(groups)


@hypothesis_settings(max_examples=60)
@given(n=st.integers(1, 70), size=st.integers(1, 20), seed=st.integers(0, 2**32), same=st.booleans())
def test_clusters_are_balanced(n: int, size: int, seed: int, same: bool):
    """All are full but one, which has the rest, and the same seed gives the same, whether rows are equal or not."""
    vectors = np.ones((n, 3)) if same else np.random.default_rng(seed).normal(size=(n, 3))
    found = [balanced_clusters(unit(vectors.astype(np.float32)), size, np.random.default_rng(seed)) for _ in range(2)]
    sizes = sorted(np.bincount(found[0]), reverse=True)
    assert sizes == [size] * (n // size) + [n % size] * (n % size > 0)
    np.testing.assert_array_equal(*found)


def test_clusters_hold_rows_that_are_alike():
    """In clusters of 8 out of 512 random rows, the mean cosine is far above that of rows taken by chance."""
    vectors = unit(np.random.default_rng(0).normal(size=(512, 8)).astype(np.float32))
    clusters = balanced_clusters(vectors, 8, np.random.default_rng(1))
    within = np.mean([np.mean(vectors[clusters == c] @ vectors[clusters == c].T) for c in range(64)])
    assert within > 0.5 > 0.2 > 1 / 8
