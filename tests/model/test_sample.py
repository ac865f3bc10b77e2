"""Which held-out queries are measured."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from recsys.model.marks import in_slices
from recsys.model.sample import ENOUGH, measured


def showing(position_G: npt.NDArray[np.int64], degree_G: npt.NDArray[np.int64], slice_: str) -> npt.NDArray[np.int64]:
    """Return the queries that have gold in a slice."""
    return np.unique(position_G[in_slices(degree_G)[slice_]])


def test_rare_items_are_shown_by_further_queries():
    """Of 1,000 queries 50 are measured, and the next 100 that clicked a new item; many show popular ones already."""
    position_G = np.arange(1000)
    degree_G = np.where(position_G % 2, 0, 100)
    found = np.flatnonzero(measured(position_G, degree_G, 1000, 400))
    assert found.tolist() == list(range(400))  # 200 of each kind
    found = np.flatnonzero(measured(position_G, degree_G, 1000, 50))
    assert found.tolist() == list(range(200))  # 25 of each kind, and 75 further of each


@given(
    st.lists(st.tuples(st.integers(0, 700), st.sampled_from([0, 1, 4, 5, 49, 50, 900])), max_size=900),
    st.integers(0, 800),
)
def test_the_first_are_measured_and_few_further(pairs: list[tuple[int, int]], limit: int):
    """All first queries are; every slice has enough or all it can have; no slice brings more than it lacks."""
    position_G, degree_G = np.array(pairs, np.int64).reshape(-1, 2).T
    chosen_Q = measured(position_G, degree_G, 701, limit)
    assert chosen_Q[:limit].all()
    brought = 0
    for name in ("never", "tail", "torso", "head"):
        of_slice = showing(position_G, degree_G, name)
        assert np.count_nonzero(chosen_Q[of_slice]) >= min(ENOUGH, len(of_slice))
        brought += max(0, ENOUGH - np.count_nonzero(of_slice < limit))
    assert np.count_nonzero(chosen_Q[limit:]) <= brought
