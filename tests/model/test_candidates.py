"""What makes a recipe better than another."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

import numpy as np
import pytest

from recsys.core.bonus import Bonus
from recsys.model.candidates import Candidates
from recsys.model.composition import Composition
from recsys.model.marks import Marks
from recsys.model.recipe import PLAIN_RECIPE, Recipe


def candidates(mark: Callable[[Recipe], Marks]) -> Candidates:
    """Return candidates with marks that are made up."""
    return Candidates(lambda recipes: {recipe: mark(recipe) for recipe in recipes})


def test_a_recipe_is_measured_once():
    """Plain vectors are measured at first, and what was measured is not handed on again."""
    asked: list[Recipe] = []

    def trial(recipes: Collection[Recipe]) -> dict[Recipe, Marks]:
        asked.extend(recipes)
        return {recipe: Marks(50, 50, 50, {}) for recipe in recipes}

    tried = Candidates(trial)
    other = Recipe(Composition(2.0, 1.0))
    for _ in range(2):
        tried.measure([PLAIN_RECIPE, other])
    assert asked == [PLAIN_RECIPE, other] == list(tried.marks)


def test_what_falls_short_may_be_mended_from_the_most_promising():
    """Some points short are better to go on from than fewer points that spare all, and many short are not."""

    def marked(score: float, as_new: float) -> Marks:
        return Marks(score, score, score, {"as_new": np.full(40, as_new)})

    best, near, sparing = (Recipe(Composition(2.0, c)) for c in (3.0, 1.0, 0.0))
    marks = {PLAIN_RECIPE: marked(30, 50), best: marked(70, 10), near: marked(60, 45), sparing: marked(54, 50)}
    tried = candidates(marks.__getitem__)
    tried.measure([best, near, sparing])
    assert (tried.most_promising(), tried.best()) == (near, best)
    # 5 points lost of 50, with an error of 5/√40 = 0.79
    assert tried.shortfall(near) == pytest.approx(5 - 2 * 0.790569)
    assert (tried.spares(near), tried.spares(sparing)) == (False, True)


def test_new_items_get_what_costs_little():
    """Of bonuses that nearly tie the highest is taken, and one that costs more than half a point is not."""
    scores = {0.0: 60.0, 0.02: 60.2, 0.03: 60.2, 0.04: 60.1, 0.05: 60.1, 0.06: 60.0, 0.07: 60.0, 0.1: 59.8}
    scores |= {0.15: 59.6, 0.2: 40.0, 0.25: 30.0, 0.3: 20.0}
    tried = candidates(lambda recipe: Marks(*[50 if recipe == PLAIN_RECIPE else scores[recipe.bonus.new]] * 3, {}))
    found = Recipe(Composition(2.0, 1.0), Bonus(0.02, 0.01))
    tried.measure([found])
    assert tried.kind_to_new(found) == replace(found, bonus=Bonus(0.1, 0.01))
    assert len(tried.marks) == 1 + len(scores)
    assert tried.kind_to_new(PLAIN_RECIPE) == PLAIN_RECIPE


def test_new_items_get_nothing_at_the_cost_of_a_slice_that_is_behind():
    """The tail has 25 with plain vectors: of 24.5, which is within noise, nothing is given, of what is above some."""

    def kind(tail_at_most: float) -> float:
        def marked(recipe: Recipe) -> Marks:
            new, plain = recipe.bonus.new, recipe == PLAIN_RECIPE
            score, tail = (50.0, 25.0) if plain else (60.0 - new, tail_at_most - 10 * new)
            noise = 0 if plain else np.tile([10.0, -10.0], 20)
            return Marks(score, score, score, {"tail": np.full(40, tail) + noise, "never": np.full(40, 100 * new)})

        tried = candidates(marked)
        return tried.kind_to_new(Recipe(Composition(2.0, 1.0))).bonus.new

    assert (kind(26.5), kind(24.5)) == (0.15, 0.0)


def test_what_a_slice_loses_and_anchors_are_taken_off_the_score():
    """Plain vectors have R@10 25 on the tail. 20 there costs 1.25 points, so that 1.2 less of the score is better."""

    def marked(score: float, tail: float) -> Marks:
        return Marks(score, score, score, {"tail": np.full(40, tail), "head": np.full(40, 90.0)})

    best, kinder, kindest = (Recipe(Composition(2.0, c)) for c in (3.0, 1.0, 0.0))
    linked = Recipe(Composition(2.0, 1.0, anchors=0.5))
    marks = {PLAIN_RECIPE: marked(30.0, 25.0), best: marked(60.0, 20.0), kindest: marked(58.7, 90.0)}
    marks |= {kinder: marked(58.8, 25.0), linked: marked(58.85, 25.0)}
    tried = candidates(marks.__getitem__)
    tried.measure([best, kindest, linked])
    assert tried.fairest([PLAIN_RECIPE, best, kindest]) == best
    tried.measure([kinder])
    assert tried.fairest(tried.marks) == kinder
    assert tried.best() == best
