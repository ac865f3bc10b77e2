"""The first places of a ranking."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.model.ranking import best
from recsys.model.ranks import PLACES, Leaders, ranks

SIZES = st.integers(2, 60) | st.integers(320, 900)


def _scores(seed: int, items: int, values: int, rows: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Return scores with ties and −inf, and which items are new."""
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, values, (rows, items)).astype(np.float32)
    scores[2, 1] = -np.inf
    scores[3] = -np.inf
    return scores, rng.random(items) < rng.choice([0, 0.1, 0.6, 1])


def _apart(scores: np.ndarray, new: np.ndarray, bonus: float) -> list[tuple[Leaders, float]]:
    clicked = Leaders(np.where(new, np.float32(-np.inf), scores), np.arange(scores.shape[1]))
    return [(clicked, 0.0), (Leaders(scores[:, new], np.flatnonzero(new)), bonus)]


@given(st.integers(0, 1000), SIZES, st.sampled_from([3, 1000]), st.sampled_from([0.0, 1.0, 2.5, 400.0]))
def test_ranks_are_places_in_the_ranking(seed: int, items: int, values: int, bonus: float):
    """The rank of an item is its place among all, new ones with their bonus, ties and −inf included, up to the last."""
    scores, new = _scores(seed, items, values)
    scored = scores + np.float32(bonus) * new
    position, item = (grid.ravel() for grid in np.indices(scores.shape))
    found = ranks(_apart(scores, new, bonus), position, item, scored[position, item]).reshape(scores.shape)
    ranked = best(scored, PLACES)
    for row in range(5):
        places = {int(column): place for place, column in enumerate(ranked[row]) if column >= 0}
        assert [places.get(column, PLACES) for column in range(items)] == found[row].tolist()


@given(st.integers(0, 1000), SIZES, st.sampled_from([0.0, 3.0]))
def test_a_pair_is_ranked_by_another_score(seed: int, items: int, bonus: float):
    """As if it stood in place of the item's own among all others; −inf has no place."""
    scores, new = _scores(seed, items, 30)
    rng = np.random.default_rng(seed + 1)
    position, item = np.array([0, 1, 3, 4]), rng.integers(0, items, 4)
    instead = rng.integers(0, 30, 4).astype(np.float32)
    instead[2] = -np.inf
    changed = scores + np.float32(bonus) * new
    changed[position, item] = instead
    found = ranks(_apart(scores, new, bonus), position, item, instead)
    ranked = best(changed, PLACES)[position]
    places = [np.flatnonzero(row == own) for row, own in zip(ranked, item, strict=True)]
    assert [int(place[0]) if len(place) else PLACES for place in places] == found.tolist()


def test_by_hand():
    """Clicked items have 5, 4 and 3, a new one 3.5: it is third, with 0.5 level with the second and behind it."""
    scores, pairs = np.array([[5, 4, 3.5, 3]], np.float32), (np.zeros(4, np.int64), np.arange(4))
    for bonus, places in ((0.0, [0, 1, 2, 3]), (0.5, [0, 1, 2, 3]), (1.0, [0, 2, 1, 3])):
        own = scores[0] + np.array([0, 0, bonus, 0], np.float32)
        assert ranks(_apart(scores, np.arange(4) == 2, bonus), *pairs, own).tolist() == places
