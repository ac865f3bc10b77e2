"""LightGCN."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from recsys.model.light_gcn import train_light_gcn


def test_two_groups_are_told_apart():
    """Queries of either half click items of it; what they have not clicked there ranks before the other half."""
    half = 1 - np.eye(6)
    clicks = csr_array(np.block([[half, 0 * half], [0 * half, half]]))
    queries, items = train_light_gcn(clicks, steps=100, batch_size=64, seed=0)
    scores = queries @ items.T
    assert scores.shape == (12, 12)
    own, other = scores[:6, :6].diagonal(), scores[:6, 6:]
    assert own.min() > other.max()


def test_the_seed_decides():
    """The same seed gives the same vectors."""
    clicks = csr_array(np.eye(5))
    first, again, other = (train_light_gcn(clicks, steps=3, batch_size=8, seed=seed)[0] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
