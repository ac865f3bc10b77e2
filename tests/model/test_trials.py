"""Comparing recipes on held-out queries."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.core.bonus import Bonus
from recsys.model.borrowed import means_of_nearest
from recsys.model.clicks import Clicks
from recsys.model.composition import Composition, compose, mean_of_queries, unit
from recsys.model.held_out import Encoded, HeldOut
from recsys.model.pairs import PairsByQuery
from recsys.model.ranking import best
from recsys.model.recipe import PLAIN_RECIPE, Recipe
from recsys.model.trials import Trials

RECIPES = st.builds(
    Recipe,
    st.builds(
        Composition,
        st.sampled_from([0.0, 0.5, 3.0]),
        st.sampled_from([0.0, 1.0, 30.0]),
        borrowed=st.sampled_from([0.0, 0.5]),
    ),
    st.builds(Bonus, st.sampled_from([0.0, 0.1]), st.sampled_from([0.0, 0.03])),
    st.sampled_from([0.0, 0.5]),
    st.sampled_from([0, 1, 3]),
).filter(lambda recipe: not (recipe.votes and recipe.prototypes))


def random_trials(seed: int, *, often: bool = False) -> Trials:
    """Return 40 queries, half of them held out, over 25 items, some without training clicks, one of blank text."""
    rng = np.random.default_rng(seed)
    query, item = np.unique(rng.integers(0, (40, 25), (70, 2)), axis=0).T
    clicks = Clicks(query, item, rng.integers(1, 9, len(query)), 40, 25)
    items, queries = (unit(rng.normal(size=(n, 6)).astype(np.float32)) for n in (25, 40))
    items[3], queries[39] = 0, 0
    pages = np.where(np.arange(40) % 7 == 0, np.arange(40) % 25, -1)
    return Trials(
        HeldOut.by_marks(
            {}, clicks, np.arange(40) >= 20, PairsByQuery.of(np.flatnonzero(pages >= 0), pages[pages >= 0])
        ),
        Encoded(items, queries),
        often=often,
    )


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.sets(RECIPES, min_size=1, max_size=4), st.booleans())
def test_marks_are_those_of_the_vectors_that_serve(seed: int, recipes: set[Recipe], often: bool):
    """The shortcut over similarities to parts gives P@1, PSP@5 and R@10 of composed, widened vectors ranked in full.

    They are the same from similarities that an earlier call has kept.
    """
    trials = random_trials(seed, often=often)
    if often:
        trials.measure([PLAIN_RECIPE])
    marks = trials.measure(recipes)
    assert marks.keys() == recipes
    for recipe in recipes:
        figures = trials.figures(recipe)
        assert marks[recipe].p1 == pytest.approx(figures["P@1"])
        assert marks[recipe].psp5 == pytest.approx(figures["PSP@5"])
        assert marks[recipe].r10 == pytest.approx(figures["R@10"])


@settings(max_examples=40)
@given(st.integers(0, 10_000), RECIPES)
def test_rare_items_are_ranked_as_new_too(seed: int, recipe: Recipe):
    """Each stands where E(z) with what it borrows, β and no votes put it, all else as it is."""
    trials = random_trials(seed)
    data, encoded, how = trials.held_out, trials.encoded, recipe.composition
    found = trials.measure([recipe])[recipe].slices["as_new"]
    mean = mean_of_queries(encoded.queries, data.training_clicks)
    near = means_of_nearest(encoded.items, mean, data.degree)
    vectors = compose(encoded.items, mean, data.degree, how, borrowed_LD=near)
    new = unit(encoded.items + how.alpha * how.borrowed * near)
    scores = trials.asked_QD @ vectors.T
    beside = trials.side.prototypes(recipe.prototypes)
    if beside is not None:
        beside.raise_scores(scores, trials.asked_QD, vectors)
    scores += recipe.bonus.of_items(data.degree).astype(np.float32)
    trials.side.votes.add_to(scores, 0, recipe.votes)
    scores[~trials.asked_QD.any(axis=1)] = -np.inf
    scores[data.excluded] = -np.inf
    expected = []
    for position in range(len(trials.asked_QD)):
        rare = [i for i in data.gold.indices[data.gold.positions == position] if 0 < data.degree[i] < 5]
        hits = []
        for item in rare:
            row = scores[position].copy()
            if row[item] > -np.inf:
                row[item] = new[item] @ trials.asked_QD[position] + recipe.bonus.new
            hits.append(item in best(row[None], 10))
        if rare:
            expected.append(100 * np.mean(hits))
    np.testing.assert_allclose(found, expected)


def test_marks_do_not_depend_on_blocks(monkeypatch: pytest.MonkeyPatch):
    """One query at a time gives the same marks as all at once."""
    trials, recipe = random_trials(0), Recipe(Composition(2.0, 1.0, borrowed=1.0), Bonus(0.1, 0.02), 0.5)
    whole = trials.measure([recipe])[recipe]
    monkeypatch.setattr("recsys.model.trials.BLOCK_SCORES", 1)
    parts = trials.measure([recipe])[recipe]
    assert (parts.p1, parts.psp5, parts.r10) == (whole.p1, whole.psp5, whole.r10)
    for name, found_Q in whole.slices.items():
        np.testing.assert_array_equal(parts.slices[name], found_Q)


def test_marks_worked_by_hand():
    """One query finds its two items first and second, the other its only item, without training clicks, eleventh."""
    gold = HeldOut.by_marks(
        {},
        Clicks(np.array([0, 0, 1, 2]), np.array([0, 1, 11, 0]), np.ones(4, np.int64), 3, 12),
        np.array([True, True, False]),
        PairsByQuery.of(np.arange(0), np.arange(0)),
    )
    items = np.eye(12, dtype=np.float32)
    queries = unit(np.array([[12 - i for i in range(12)], [*range(12, 0, -1)], [1] + [0] * 11], np.float32))
    queries[1, 10] = 0
    marks = Trials(gold, Encoded(items, queries)).measure([PLAIN_RECIPE])[PLAIN_RECIPE]
    # items 0 and 1 stand first and second for query 0; query 1 has eleven others before item 11, save item 10
    assert (marks.p1, marks.r10) == (50, 50)
    # one training query: every propensity is 1; two of the three gold items stand among the first five
    assert marks.psp5 == pytest.approx(200 / 3)
    assert marks.score == pytest.approx((50 + 200 / 3 + 50) / 3)
    # item 1 (query 0) and item 11 (query 1) have no training clicks: recalls 1 and 0; item 0 (query 0) has one
    np.testing.assert_allclose(marks.slices["never"], [100, 0])
    np.testing.assert_allclose(marks.slices["tail"], [100])
    assert marks.slices["torso"].size == marks.slices["head"].size == 0
    assert marks.by_slice["never"] == 50
