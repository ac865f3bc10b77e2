"""Trials of recipes that put different vectors in place of E(z)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from recsys.core.memory import give_back
from recsys.model.composition import Composition, Vectors, units, with_anchors
from recsys.model.held_out import Encoded, HeldOut
from recsys.model.marks import Marks
from recsys.model.query_side import QuerySide
from recsys.model.recipe import Recipe
from recsys.model.trials import Trials

Text = tuple[bool, float]
"Whether an item has its residual, and δ of its anchors."


class TrialsByText:
    """Scores recipes on held-out queries, those with the same vectors in place of E(z) together.

    Args:
        held_out: What to measure on.
        encoded: Vectors of all items and queries.
        learnt: E(z) + w_z of recipes with a residual; None for no such recipes.
    """

    def __init__(self, held_out: HeldOut, encoded: Encoded, learnt: Vectors | None) -> None:
        self.held_out = held_out
        self._encoded = encoded
        self._learnt = learnt
        self._side = QuerySide(held_out, encoded, often=True)
        self._texts: dict[Text, Vectors] = {}
        self._trials: dict[Text, Trials] = {}

    def of(self, how: Composition) -> Trials:
        """Return the trials that recipes with this composition belong to."""
        text = (how.residual, how.anchors)
        if text not in self._trials:
            encoded, new_LD = replace(self._encoded, items=self._text(how)), self._text(replace(how, residual=False))
            self._trials[text] = Trials(self.held_out, encoded, often=True, side=self._side, new_LD=new_LD)
        return self._trials[text]

    def measure(self, recipes: Collection[Recipe]) -> dict[Recipe, Marks]:
        """Return the marks of each recipe."""
        marks: dict[Recipe, Marks] = {}
        for some in dict.fromkeys(self.of(recipe.composition) for recipe in recipes):
            marks |= some.measure([recipe for recipe in recipes if self.of(recipe.composition) is some])
        give_back()
        return marks

    def figures(self, recipe: Recipe) -> dict[str, float]:
        """Return every metric, in percent, of the vectors that would serve."""
        figures = self.of(recipe.composition).figures(recipe)
        give_back()
        return figures

    def _text(self, how: Composition) -> Vectors:
        """Return what stands in place of E(z)."""
        text, encoded = (how.residual, how.anchors), self._encoded
        if not how.adds_to_text:
            return encoded.items
        if text not in self._texts:
            text_LD = self._learnt if how.residual and self._learnt is not None else encoded.items
            summed_LD = with_anchors(text_LD, encoded.anchors, how, encoded.scratch)
            self._texts[text] = units(summed_LD, encoded.scratch)
        return self._texts[text]
