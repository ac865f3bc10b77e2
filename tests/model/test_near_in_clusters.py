"""Near items of large catalogues."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from recsys.model import near_in_clusters as module
from recsys.model import nearest as exact
from recsys.model import scratch
from recsys.model.composition import unit
from recsys.model.near_in_clusters import nearest_in_clusters
from recsys.model.nearest import LeftOut, nearest

CPU = torch.device("cpu")


def left_out(out: np.ndarray) -> LeftOut:
    """Leave out the pairs that are True."""
    return lambda some: np.nonzero(out[some])


@hypothesis_settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32),
    n=st.integers(1, 9),
    m=st.integers(1, 30),
    k=st.integers(1, 10),
    share=st.sampled_from([0.0, 0.4, 1.0]),
    rows=st.sampled_from([2, 1 << 14]),
    in_cluster=st.sampled_from([2, 512]),
)
def test_looking_through_every_cluster_finds_what_a_whole_search_finds(
    seed: int, n: int, m: int, k: int, share: float, rows: int, in_cluster: int
):
    """Whatever is left out, and however many queries are looked at together."""
    rng = np.random.default_rng(seed)
    queries, items = (unit(rng.normal(size=(size, 4)).astype(np.float32)) for size in (n, m))
    out = left_out(rng.random((n, m)) < share)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exact, "has_bfloat16", lambda _: False)
        patch.setattr(module, "PROBES", m)
        patch.setattr(scratch, "ROWS", rows)
        patch.setattr(module, "IN_CLUSTER", in_cluster)
        found = nearest_in_clusters(queries, items, out, k, CPU, rng)
        expected = nearest(queries, items, out, k, CPU)
    np.testing.assert_array_equal(found, expected)


def test_few_clusters_hold_most_of_what_is_near():
    """Items in a hundred heaps: eight of 64 clusters hold nine in ten of the nearest, and nothing that is left out."""
    rng = np.random.default_rng(0)
    heaps = rng.normal(size=(100, 16))
    queries, items = (
        unit((heaps[rng.integers(0, 100, size)] + 0.3 * rng.normal(size=(size, 16))).astype(np.float32))
        for size in (300, 4096)
    )
    out = rng.random((300, 4096)) < 0.1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "PROBES", 8)
        found = nearest_in_clusters(queries, items, left_out(out), 10, CPU, rng)
    expected = nearest(queries, items, left_out(out), 10, CPU)
    assert not np.take_along_axis(out, found, axis=1).any()
    assert np.mean([len(set(a) & set(b)) / 10 for a, b in zip(found.tolist(), expected.tolist(), strict=True)]) > 0.9
