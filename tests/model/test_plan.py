"""Batch plans."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.model.plan import UniformPlan


@given(
    rows=st.sets(st.integers(0, 10_000), min_size=1, max_size=200),
    batch_size=st.integers(1, 70),
    seed=st.integers(0, 2**32),
    epoch=st.integers(0, 100),
)
def test_every_row_comes_once_per_epoch(rows: set[int], batch_size: int, seed: int, epoch: int):
    """The batches of an epoch hold each row once; all but the last are full, and their number is known before."""
    plan = UniformPlan(np.array(sorted(rows)), batch_size, seed)
    batches = list(plan.batches(epoch))
    assert sorted(np.concatenate(batches)) == sorted(rows)
    assert all(len(batch) == batch_size for batch in batches[:-1])
    assert len(batches) == len(plan)


def test_the_order_depends_on_seed_and_epoch_alone():
    """Asked again it is the same; another epoch or another seed has another."""
    rows = np.arange(100)
    order = UniformPlan(rows, 10, seed=1).order(2)
    np.testing.assert_equal(UniformPlan(rows, 33, seed=1).order(2), order)
    assert (UniformPlan(rows, 10, seed=1).order(3) != order).any()
    assert (UniformPlan(rows, 10, seed=2).order(2) != order).any()
