"""The first places of a ranking."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.model.ranking import best
from recsys.model.ranks import PLACES, first_ranks


@given(st.integers(0, 1000), st.integers(2, 60) | st.integers(320, 500), st.sampled_from([3, 1000]))
def test_ranks_are_places_in_the_ranking(seed: int, items: int, values: int):
    """The rank of an item is its place among all, ties and scores of −inf included, up to the last that is told."""
    scores = np.random.default_rng(seed).integers(0, values, (5, items)).astype(np.float32)
    scores[2, 1] = -np.inf
    scores[3] = -np.inf
    position, item = (grid.ravel() for grid in np.indices(scores.shape))
    ranks = first_ranks(scores, position, item).reshape(scores.shape)
    ranked = best(scores, PLACES)
    for row in range(5):
        places = {int(column): place for place, column in enumerate(ranked[row]) if column >= 0}
        assert [places.get(column, PLACES) for column in range(items)] == ranks[row].tolist()
