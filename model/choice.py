"""Which recipe a run serves with, by evidence on held-out queries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from recsys.core.scoring import Scoring
from recsys.model.candidates import PAYS, Candidates
from recsys.model.composition import Composition, Vectors
from recsys.model.held_out import Encoded, HeldOut
from recsys.model.recipe import IN_TRAINING, PLAIN_RECIPE, Recipe
from recsys.model.trials_by_text import TrialsByText
from recsys.model.variants import (
    along_the_ridge,
    alphas,
    around,
    bonuses,
    borrowings,
    evidences,
    news,
    populars,
    weights,
    with_anchors,
    with_prototypes,
    with_residual,
)

DEFAULT = Recipe(Composition(2.0, 1.0))
"Where no query is held out to choose by."

Variants = Callable[[Recipe], Iterable[Recipe]]


@dataclass(frozen=True)
class Choice:
    """How items are scored, and every figure it was chosen by.

    Attributes:
        one: Recipe of a single search.
        voted: The same item vectors with votes; None where votes do not pay.
        figures: Held-out metrics of ``plain``, ``chosen`` (one search), ``with_votes`` and, where votes pay more than
            prototypes that pay too, ``with_prototypes``; and all candidates.
    """

    one: Recipe
    voted: Recipe | None
    figures: dict[str, Any]

    @property
    def composition(self) -> Composition:
        """How item vectors are composed."""
        return self.one.composition

    @property
    def scoring(self) -> Scoring:
        """What searches need to know."""
        voted = self.voted or Recipe()
        one, also = self.one.bonus, voted.bonus
        return Scoring(one.new, one.popular, voted.votes, also.new, also.popular, self.one.prototypes)


def choose(
    held_out: HeldOut, encoded: Encoded, *, graph: bool, learnt: Vectors | None = None, prototypes: int = 0
) -> Choice:
    """Choose by the mean of P@1, PSP@5 and R@10, among recipes that spare every slice of the items.

    A recipe spares a slice (never clicked, tail, torso, head) when R@10 of its items is not below that of plain
    vectors by more than twice the standard error of the mean paired difference; items of the tail that are ranked as
    if nobody had clicked them are a slice too. The search goes coordinate by coordinate, so that few recipes are
    measured: it begins with the best of those that checkpoints were chosen by; then come c, α and once both, α on top
    of the residual, δ, γ, β and ρ; then all of these once more, each time from the highest score less what slices
    fall short; where the best of all does not spare them, α, c and γ are changed together too. With these vectors
    follow prototypes, and without prototypes w, β, γ and again w for votes, and β with γ from the most promising.
    Of what is found the best is taken, where what the worst slice loses weighs a quarter, since rare items decide few
    of the queries, and anchors have to bring a tenth of a point. Then the highest β is taken that costs no more than
    half a point and no slice more than it lost. All of this from the best single search on is done without anchors
    too, and what serves better in the end is chosen.

    Args:
        held_out: What to measure on.
        encoded: Vectors of all items and queries.
        graph: Without it, plain vectors in one search are all there is.
        learnt: E(z) + w_z, with residuals that were learnt from the training clicks alone; None for no such recipes.
        prototypes: Most of an item; 0 for none.
    """
    if not len(held_out):
        return Choice(DEFAULT if graph else PLAIN_RECIPE, None, {"held_out_queries": 0})
    trials = TrialsByText(held_out, encoded, learnt)
    tried = Candidates(trials.measure)
    if graph:
        further = [with_residual] * (learnt is not None) + [with_anchors] * (encoded.anchors is not None)
        _search_one(tried, further)
    found = [_serve(one, tried, prototypes, graph=graph) for one in _ones(tried)]
    best = max(found, key=lambda each: tried.value(each.served))
    return Choice(best.one, best.voted, _figures(trials, tried, best))


@dataclass(frozen=True)
class _Found:
    """What would serve with one composition: a single search, votes, and prototypes that pay, but less than votes."""

    one: Recipe
    voted: Recipe | None = None
    beside: Recipe | None = None

    @property
    def served(self) -> Recipe:
        return self.voted or self.one


def _search_one(tried: Candidates, further: Sequence[Variants]) -> None:
    tried.measure(IN_TRAINING)
    tried.measure(evidences(tried.best()))
    tried.measure(alphas(tried.best()))
    tried.measure([along_the_ridge(tried.best())])
    for variants in (*further, populars, news, borrowings):
        tried.measure(variants(tried.best()))
    # what is best of all may not spare the slices whatever its other coordinates, and nothing near it would be tried
    for variants in (borrowings, news, *(2 * (bonuses, evidences, *further, alphas, borrowings))):
        tried.measure(variants(tried.most_promising()))
    best = tried.best()
    if not tried.spares(best):
        tried.measure(around(best))


def _ones(tried: Candidates) -> list[Recipe]:
    """Return the best single searches: one without anchors and, where it is ahead of that, one with them."""
    sparing = tried.where(tried.spares)
    without = tried.fairest(recipe for recipe in sparing if not recipe.composition.anchors)
    return list(dict.fromkeys([without, tried.fairest(sparing)]))


def _serve(one: Recipe, tried: Candidates, prototypes: int, *, graph: bool) -> _Found:
    one = tried.kind_to_new(one)
    if not graph:
        return _Found(one)
    many = _with_prototypes(one, tried, prototypes)
    voted = _with_votes(one, tried)
    if many is not None and (voted is None or tried.score(many) > tried.score(voted)):
        return _Found(many)
    return _Found(one, voted, many)


def _with_prototypes(one: Recipe, tried: Candidates, most: int) -> Recipe | None:
    # each β at once: raising scores by prototypes is dear, and a β more costs next to nothing
    tried.measure(each for many in with_prototypes(one, most) for each in news(many))
    sparing = [recipe for recipe in with_prototypes(one, most) if tried.spares(recipe)]
    best = tried.best([one, *sparing])
    # they raise what was clicked alone, and take from new items what β gave them
    return tried.kind_to_new(best) if tried.score(best) >= tried.score(one) + PAYS else None


def _with_votes(one: Recipe, tried: Candidates) -> Recipe | None:
    def voted() -> list[Recipe]:
        return tried.where(lambda recipe: recipe.votes > 0 and recipe.composition == one.composition)

    tried.measure(weights(one))
    for variants in (news, populars, weights):
        tried.measure(variants(tried.best(voted())))
    for variants in (bonuses, weights, bonuses):
        tried.measure(variants(tried.most_promising(voted())))
    best = tried.fairest([one, *filter(tried.spares, voted())])
    return None if best == one else tried.kind_to_new(best)


def _figures(trials: TrialsByText, tried: Candidates, found: _Found) -> dict[str, Any]:
    named = {"plain": PLAIN_RECIPE, "chosen": found.one}
    named |= {name: each for name, each in (("with_prototypes", found.beside), ("with_votes", found.voted)) if each}
    marks = tried.marks
    by_slice = {name: marks[recipe].by_slice for name, recipe in named.items()}
    queries = {name: len(found_Q) for name, found_Q in marks[found.one].slices.items()}
    candidates = [
        {**recipe.as_json(), "score": round(m.score, 3), "P@1": m.p1, "PSP@5": m.psp5, "R@10": m.r10}
        | {"R@10_by_slice": m.by_slice}
        for recipe, m in marks.items()
    ]
    return {
        "held_out_queries": len(trials.held_out),
        **{name: trials.figures(recipe) for name, recipe in named.items()},
        "R@10_by_slice": {"queries": queries, **by_slice},
        "candidates": candidates,
    }
