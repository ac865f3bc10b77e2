"""Measuring on held-out queries."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.model.clicks import Clicks
from recsys.model.composition import Composition, unit
from recsys.model.held_out import Encoded, HeldOut
from recsys.model.pairs import PairsByQuery
from recsys.model.recipe import PLAIN_RECIPE, Recipe
from recsys.model.trials import Trials

HELD_OUT = np.array([False, False, False, True, True])
CLICKS = Clicks(np.array([0, 1, 2, 3, 3, 4]), np.array([0, 1, 2, 0, 3, 1]), np.ones(6, np.int64), 5, 4)
NOTHING = PairsByQuery.of(np.arange(0), np.arange(0))


def axes(n: int, *rows: int) -> np.ndarray:
    """Return one unit vector per row, along the axis with that number."""
    return np.eye(n, dtype=np.float32)[list(rows)]


def held_out(excluded: PairsByQuery = NOTHING, limit: int = 5000) -> HeldOut:
    """Three training queries and two held-out ones over four items."""
    return HeldOut.by_marks({}, CLICKS, HELD_OUT, excluded, limit)


def figures_of(data: HeldOut, encoded: Encoded, recipe: Recipe = PLAIN_RECIPE) -> dict[str, float]:
    """Return every metric of a recipe."""
    return Trials(data, encoded).figures(recipe)


def test_figures_worked_by_hand():
    """Query 3 clicked items 0 and 3 and finds 0 first; query 4 clicked item 1 and finds it second."""
    items = axes(4, 0, 1, 2, 3)
    queries = unit(np.array([[0, 0, 0, 1]] * 3 + [[4, 3, 2, 1], [2, 3, 4, 1]], np.float32))
    figures = figures_of(held_out(), Encoded(items, queries))
    # P@1: (1 + 0)/2; P@3: (1/3 + 1/3)/2; nDCG@3 of the first 1/(1 + 1/log2 3), of the second 1/log2 3
    assert figures["P@1"] == pytest.approx(50)
    assert figures["P@3"] == pytest.approx(100 / 3)
    assert figures["nDCG@3"] == pytest.approx(100 * (1 / (1 + 1 / np.log2(3)) + 1 / np.log2(3)) / 2)
    assert figures["R@10"] == pytest.approx(100)


def test_held_out_queries_take_no_part_in_composition():
    """Items are composed from training queries alone: what held-out queries clicked changes no item vector."""
    data = held_out()
    assert set(data.training_clicks.query) == {0, 1, 2}
    assert data.degree.tolist() == [1, 1, 1, 0]
    assert data.rows.tolist() == [3, 4]
    # the held-out queries lie where no item and no training query is; were they composed in, their items would win
    encoded = Encoded(axes(6, 0, 1, 2, 3), axes(6, 0, 1, 2, 4, 5))
    assert figures_of(data, encoded, Recipe(Composition(4.0, 0.0))) == figures_of(data, encoded)
    assert set(Trials(data, encoded).side.votes.item) <= {0, 1, 2}


def test_the_page_itself_is_never_ranked():
    """A query that is also an item does not find itself first, and its click on itself is not gold."""
    data = held_out(excluded=PairsByQuery.of(np.array([3]), np.array([0])))
    items, queries = axes(4, 0, 1, 2, 3), unit(np.array([[0, 0, 1, 0]] * 3 + [[4, 2, 1, 3], [0, 1, 0, 0]], np.float32))
    assert data.gold.sizes.tolist() == [1, 1]
    encoded = Encoded(items, queries)
    assert figures_of(data, encoded)["P@1"] == pytest.approx(100)
    assert Trials(data, encoded).measure([PLAIN_RECIPE])[PLAIN_RECIPE].p1 == pytest.approx(100)


def test_figures_are_of_the_first_queries():
    """With room for one query the first by row counts; the other one shows slices, and stays out of training."""
    data = held_out(limit=1)
    assert (len(data), data.rows.tolist(), data.counted.tolist()) == (1, [3, 4], [True, False])
    assert (data.gold.sizes.tolist(), data.counted_gold.sizes.tolist()) == ([2, 1], [2, 0])
    assert set(data.training_clicks.query) == {0, 1, 2}
    # query 3 finds nothing first and both of its items later, query 4 finds its own first
    asked = [[2, 0, 3, 1], [0, 1, 0, 0]]
    encoded = Encoded(axes(4, 0, 1, 2, 3), unit(np.array([[0, 0, 0, 1]] * 3 + asked, np.float32)))
    marks = Trials(data, encoded).measure([PLAIN_RECIPE])[PLAIN_RECIPE]
    assert (marks.p1, marks.r10, figures_of(data, encoded)["P@1"]) == (0, 100, 0)
    shown = {name: len(found_Q) for name, found_Q in marks.slices.items() if len(found_Q)}
    assert shown == {"never": 1, "tail": 2, "as_new": 2}


def test_no_more_queries_than_needed_are_measured():
    """Of 1,200 queries that show one slice those of the lowest rows are, 500 or as many as are counted."""
    query = np.arange(1201)
    clicks = Clicks(query, np.zeros(1201, np.int64), np.ones(1201, np.int64), 1201, 1)
    for limit, last in ((150, 500), (700, 700)):
        data = HeldOut.by_marks({}, clicks, query > 0, NOTHING, limit)
        assert data.rows.tolist() == list(range(1, last + 1))
        assert len(data) == limit
