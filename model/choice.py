"""Which recipe a run serves with, by evidence on held-out queries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from recsys.core.scoring import Scoring
from recsys.model.composition import Composition, Vectors
from recsys.model.held_out import IN_TRAINING, Encoded, HeldOut
from recsys.model.marks import Marks
from recsys.model.recipe import PLAIN_RECIPE, Recipe
from recsys.model.trials_by_text import TrialsByText
from recsys.model.variants import (
    along_the_ridge,
    alphas,
    evidences,
    news,
    populars,
    weights,
    with_anchors,
    with_prototypes,
    with_residual,
)

GIVEN = 0.5
"Points of the score that items without clicks may cost: few held-out clicks are on them, and many of those to come."
LOSS = 0.1
"Points of the score that a point of R@10 is worth which the worst slice loses, be it within noise."
PAYS = 0.1
"Points of the score that prototypes have to bring, which take several times the memory, and anchors, read each time."

DEFAULT = Recipe(Composition(2.0, 1.0))
"Where no query is held out to choose by."

Measure = Callable[[Iterable[Recipe]], None]
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

    A recipe spares a slice (never clicked, tail, torso, head) when R@10 of its items is not below that of plain vectors
    by more than the standard error of the mean paired difference. The search goes coordinate by coordinate, so that few
    recipes are measured: it begins with the best of those that checkpoints were chosen by; then come c, α and once
    both, α on top of the residual, δ, γ and β, and γ, c, the residual and δ once more from the best that spares the
    slices. With these vectors follow prototypes, and without prototypes w, β, γ and again w for votes, the last two
    also from the best that spares the slices. Of what is found the best is taken, where what the worst slice loses
    weighs a tenth, since rare items decide few of the queries, and anchors have to bring a tenth of a point. Then the
    highest β is taken that costs no more than half a point.

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
    marks: dict[Recipe, Marks] = {}

    def measure(recipes: Iterable[Recipe]) -> None:
        marks.update(trials.measure([recipe for recipe in recipes if recipe not in marks]))

    measure([PLAIN_RECIPE])
    if graph:
        further = [with_residual] * (learnt is not None) + [with_anchors] * (encoded.anchors is not None)
        _search_one(marks, measure, further)
    one = _kind_to_new(_fairest(marks, _sparing(marks, voted=False)), marks, measure)
    many = None
    if graph:
        measure(with_prototypes(one, prototypes))
        many = _with_prototypes(marks, one)
        _search_votes(one, marks, measure)
    votes = _with_votes(marks, one, measure)
    if many is not None and (votes is None or marks[many].score > marks[votes].score):
        one, many, votes = many, None, None
    return Choice(one, votes, _figures(trials, marks, one, votes, many))


def _search_one(marks: dict[Recipe, Marks], measure: Measure, further: Sequence[Variants]) -> None:
    measure(IN_TRAINING)
    measure(evidences(_best(marks)))
    measure(alphas(_best(marks)))
    measure([along_the_ridge(_best(marks))])
    for variants in further:
        measure(variants(_best(marks)))
    measure(populars(_best(marks)))
    measure(news(_best(marks)))
    # what is best of all may spare no slice whatever its other coordinates are, and then nothing near it has been tried
    for variants in (populars, evidences, *further, *([populars] if further else [])):
        measure(variants(_best(_sparing(marks, voted=False))))


def _search_votes(one: Recipe, marks: dict[Recipe, Marks], measure: Measure) -> None:
    measure(weights(one))
    measure(news(_best_voted(marks)))
    for found in (_best_voted(marks), _best(_sparing(marks, voted=True) or {one: marks[one]})):
        measure(populars(found))
        measure(weights(found))


def _best(marks: dict[Recipe, Marks]) -> Recipe:
    """Return the best recipe so far, the first measured among equals: plain vectors unless something beats them."""
    return max(marks, key=lambda recipe: marks[recipe].score)


def _best_voted(marks: dict[Recipe, Marks]) -> Recipe:
    return _best({recipe: some for recipe, some in marks.items() if recipe.votes})


def _fairest(marks: dict[Recipe, Marks], among: dict[Recipe, Marks]) -> Recipe:
    """Return the best of ``among``; what a slice loses against plain vectors, and what anchors cost, is taken off."""
    plain = marks[PLAIN_RECIPE]

    def value(recipe: Recipe) -> float:
        some = among[recipe]
        return some.score - LOSS * some.worst_loss(plain) - PAYS * (recipe.composition.anchors > 0)

    return max(among, key=value)


def _sparing(marks: dict[Recipe, Marks], *, voted: bool) -> dict[Recipe, Marks]:
    plain = marks[PLAIN_RECIPE]
    return {r: m for r, m in marks.items() if (r.votes > 0) == voted and m.spares_slices(plain)}


def _with_prototypes(marks: dict[Recipe, Marks], one: Recipe) -> Recipe | None:
    best = _best({one: marks[one], **_sparing(marks, voted=False)})
    return best if marks[best].score >= marks[one].score + PAYS else None


def _with_votes(marks: dict[Recipe, Marks], one: Recipe, measure: Measure) -> Recipe | None:
    best = _fairest(marks, {one: marks[one], **_sparing(marks, voted=True)})
    return None if best == one else _kind_to_new(best, marks, measure)


def _kind_to_new(found: Recipe, marks: dict[Recipe, Marks], measure: Measure) -> Recipe:
    """Return ``found`` with the highest β that costs no more than :data:`GIVEN`, and not all that beats plain vectors.

    Plain vectors need none.
    """
    if found == PLAIN_RECIPE:
        return found
    measure(news(found))
    sparing = _sparing(marks, voted=found.votes > 0)
    same = [recipe for recipe in news(found) if recipe in sparing or recipe == found]
    least = max(marks[found].score - GIVEN, marks[PLAIN_RECIPE].score)
    return max((recipe for recipe in same if marks[recipe].score >= least), key=lambda recipe: recipe.bonus.new)


def _figures(
    trials: TrialsByText, marks: dict[Recipe, Marks], one: Recipe, voted: Recipe | None, many: Recipe | None
) -> dict[str, Any]:
    named = {"plain": PLAIN_RECIPE, "chosen": one}
    named |= {name: each for name, each in (("with_prototypes", many), ("with_votes", voted)) if each}
    by_slice = {name: marks[recipe].by_slice for name, recipe in named.items()}
    queries = {name: len(found_Q) for name, found_Q in marks[one].slices.items()}
    candidates = [
        {**recipe.as_json(), "score": round(m.score, 3), "P@1": m.p1, "PSP@5": m.psp5, "R@10": m.r10}
        | {"R@10_by_slice": m.by_slice}
        for recipe, m in marks.items()
    ]
    return {
        "held_out_queries": len(trials.held_out),
        **{name: trials.of(recipe.composition).figures(recipe) for name, recipe in named.items()},
        "R@10_by_slice": {"queries": queries, **by_slice},
        "candidates": candidates,
    }
