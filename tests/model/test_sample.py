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
    """A fifth of the clicks are on new items: of 600 first queries 120 show them, and the next 380 such are added."""
    position_G = np.arange(4000)
    degree_G = np.where(position_G % 5, 100, 0)
    found = np.flatnonzero(measured(position_G, degree_G, 4000, 600))
    popular = [p for p in range(600, 625) if p % 5]  # 480 queries show such items already
    assert found.tolist() == sorted([*range(600), *range(600, 2500, 5), *popular])
    assert measured(position_G, degree_G, 4000, 3000).nonzero()[0].tolist() == list(range(3000))


@given(
    st.lists(st.tuples(st.integers(0, 1400), st.sampled_from([0, 1, 4, 5, 49, 50, 900])), max_size=1500),
    st.integers(0, 1500),
)
def test_the_first_are_measured_and_few_further(pairs: list[tuple[int, int]], limit: int):
    """All first queries are; every slice has enough or all it can have; no slice brings more than it lacks."""
    position_G, degree_G = np.array(pairs, np.int64).reshape(-1, 2).T
    chosen_Q = measured(position_G, degree_G, 1401, limit)
    assert chosen_Q[:limit].all()
    brought = 0
    for name in ("never", "tail", "torso", "head"):
        of_slice = showing(position_G, degree_G, name)
        assert np.count_nonzero(chosen_Q[of_slice]) >= min(ENOUGH, len(of_slice))
        brought += max(0, ENOUGH - np.count_nonzero(of_slice < limit))
    assert np.count_nonzero(chosen_Q[limit:]) <= brought
