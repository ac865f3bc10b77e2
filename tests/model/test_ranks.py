"""The first places of a ranking."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.model.ranking import best
from recsys.model.ranks import PLACES, first_ranks, ranks_instead


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


@given(st.integers(0, 1000), st.integers(2, 60))
def test_a_pair_is_ranked_by_another_score(seed: int, items: int):
    """As if it stood in place of its own, which is left as it is; what is never ranked stays so."""
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 30, (5, items)).astype(np.float32)
    scores[3] = -np.inf
    position, item = np.array([0, 1, 3, 4]), rng.integers(0, items, 4)
    instead, before = rng.integers(0, 30, 4).astype(np.float32), scores.copy()
    changed = scores.copy()
    changed[position, item] = np.where(position == 3, -np.inf, instead)
    found = ranks_instead(scores, position, item, instead)
    np.testing.assert_array_equal(found, first_ranks(changed, position, item))
    np.testing.assert_array_equal(scores, before)
