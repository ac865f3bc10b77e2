"""The plan of NGAME."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from recsys.model.clustered_plan import ClusteredPlan, cluster_size
from recsys.model.composition import Vectors, unit
from recsys.model.plan import UniformPlan


def encoder(seed: int):
    """Return an encoder that knows nothing but rows."""

    def encode(rows: np.ndarray) -> Vectors:
        vectors = np.random.default_rng(seed).normal(size=(10_001, 4)).astype(np.float32)
        return unit(vectors[rows])

    return encode


def test_clusters_double_every_25_epochs():
    """2 at the end of the warm-up, 4 from epoch 35 on, 8 from epoch 60 on."""
    assert [cluster_size(epoch) for epoch in (10, 34, 35, 59, 60)] == [2, 2, 4, 4, 8]


@hypothesis_settings(max_examples=40)
@given(
    rows=st.sets(st.integers(0, 10_000), min_size=1, max_size=100),
    batch_size=st.integers(1, 30),
    seed=st.integers(0, 2**32),
    epoch=st.integers(0, 100),
)
def test_every_row_comes_once_per_epoch(tmp_path_factory, rows: set[int], batch_size: int, seed: int, epoch: int):
    """Before and after the warm-up the batches of an epoch hold each row once, and their number is known before."""
    directory = tmp_path_factory.mktemp("work")
    plan = ClusteredPlan(np.array(sorted(rows)), batch_size, seed, encoder(0), directory)
    batches = list(plan.batches(epoch))
    assert sorted(np.concatenate(batches)) == sorted(rows)
    assert all(len(batch) == batch_size for batch in batches[:-1])
    assert len(batches) == len(plan)


def test_the_warm_up_is_uniform(tmp_path: Path):
    """Nine epochs are those of the uniform plan, and nothing is encoded for them; the tenth is not."""
    rows = np.arange(40)
    plan, uniform = ClusteredPlan(rows, 8, 3, encoder(0), tmp_path), UniformPlan(rows, 8, 3)
    for epoch in range(10):
        np.testing.assert_array_equal(plan.order(epoch), uniform.order(epoch))
    assert not list(tmp_path.iterdir())
    assert (plan.order(10) != uniform.order(10)).any()


def test_clusters_come_together_in_another_order_each_epoch(tmp_path: Path):
    """Pairs of equal vectors stand side by side in every epoch, and neither pairs nor rows keep their places."""
    rows = np.arange(100, 140)
    vectors = unit(np.repeat(np.random.default_rng(1).normal(size=(20, 6)), 2, axis=0).astype(np.float32))
    plan = ClusteredPlan(rows, 8, 3, lambda asked: vectors[asked - 100], tmp_path)
    orders = [plan.order(epoch) for epoch in (10, 11, 12)]
    for order in orders:
        np.testing.assert_array_equal((order[::2] - 100) // 2, (order[1::2] - 100) // 2)
    assert len({tuple(order) for order in orders}) == 3


def test_clusters_are_kept_until_their_turn_comes(tmp_path: Path):
    """Made again with other weights, epochs 10 to 14 are as they were; epoch 15 is clustered anew."""
    rows = np.arange(60)
    first, later = (ClusteredPlan(rows, 8, 3, encoder(seed), tmp_path) for seed in (1, 2))
    order = first.order(12)
    np.testing.assert_array_equal(later.order(12), order)
    assert [path.name for path in tmp_path.iterdir()] == ["clusters-10.npy"]
    other = ClusteredPlan(rows, 8, 3, encoder(2), tmp_path / "..").order(12)
    assert (other != order).any()
    later.order(15)
    assert {path.name for path in tmp_path.iterdir()} == {"clusters-10.npy", "clusters-15.npy"}
