"""Batch plans."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.model.plan import TooManyShardsError, UniformPlan
from recsys.model.scratch import Scratch


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


def test_the_order_depends_on_seed_and_epoch_alone(tmp_path: Path):
    """Asked again, or kept in a file, it is the same; another epoch or another seed has another."""
    rows = np.arange(100)
    order = UniformPlan(rows, 10, seed=1).order(2)
    np.testing.assert_equal(UniformPlan(rows, 33, seed=1).order(2), order)
    np.testing.assert_equal(UniformPlan(rows, 10, 1, Scratch(tmp_path)).order(2), order)
    assert (UniformPlan(rows, 10, seed=1).order(3) != order).any()
    assert (UniformPlan(rows, 10, seed=2).order(2) != order).any()


@given(
    rows=st.integers(1, 300),
    batch_size=st.integers(1, 70),
    ranks=st.integers(1, 6),
    workers=st.integers(1, 3),
    seed=st.integers(0, 2**32),
)
def test_shards_make_the_whole(rows: int, batch_size: int, ranks: int, workers: int, seed: int):
    """Shards by rank and worker hold each row once and have equally many steps.

    All but those of the last step are batches of the plan without shards, at the place that seeds their draws.
    """
    plan = UniformPlan(np.arange(rows), batch_size, seed)
    if rows < ranks * workers:
        with pytest.raises(TooManyShardsError, match=f"at most {rows}"):
            plan.shard(0, ranks).shard(0, workers)
        return
    shards = [plan.shard(rank, ranks).shard(worker, workers) for rank in range(ranks) for worker in range(workers)]
    assert [shard.number for shard in shards] == list(range(ranks * workers))
    found = [list(shard.batches(3)) for shard in shards]
    assert sorted(np.concatenate([batch for batches in found for batch in batches])) == list(range(rows))
    assert {len(batches) for batches in found} == {len(shards[0])}
    assert all(0 < len(batch) <= batch_size + 1 for batches in found for batch in batches)
    whole = list(plan.batches(3))
    for shard, batches in zip(shards, found, strict=True):
        for step, batch in enumerate(batches[:-1]):
            assert batch.tolist() == whole[shard.place(step)].tolist()
    places = [shard.place(step) for shard in shards for step in range(len(shard))]
    assert len(set(places)) == len(places)
