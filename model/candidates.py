"""The recipes that a choice has measured so far, and what makes one better than another."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from recsys.model.marks import Marks
from recsys.model.recipe import PLAIN_RECIPE, Recipe
from recsys.model.variants import news

GIVEN = 0.5
"Points of the score that items without clicks may cost: few held-out clicks are on them, and many of those to come."
LOSS = 0.25
"Points of the score that a point of R@10 is worth which the worst slice loses, be it within noise."
PAYS = 0.1
"Points of the score that prototypes have to bring, which take several times the memory, and anchors, read each time."


class Candidates:
    """Measures each recipe once; plain vectors are the first and what others are compared with.

    Args:
        trial: Measures recipes.

    Attributes:
        marks: Of all recipes so far, in the order in which they were measured.
    """

    def __init__(self, trial: Callable[[Collection[Recipe]], dict[Recipe, Marks]]) -> None:
        self._trial = trial
        self.marks: dict[Recipe, Marks] = {}
        self.measure([PLAIN_RECIPE])

    def measure(self, recipes: Iterable[Recipe]) -> None:
        """Measure those of ``recipes`` that were not yet."""
        self.marks.update(self._trial([recipe for recipe in recipes if recipe not in self.marks]))

    def where(self, holds: Callable[[Recipe], bool]) -> list[Recipe]:
        """Return the recipes of which something holds."""
        return [recipe for recipe in self.marks if holds(recipe)]

    def spares(self, recipe: Recipe) -> bool:
        """Say whether a recipe spares every slice of the items."""
        return not self.shortfall(recipe)

    def shortfall(self, recipe: Recipe) -> float:
        """Return what slices fare worse than under plain vectors, in points of R@10."""
        return self.marks[recipe].shortfall(self.marks[PLAIN_RECIPE])

    def loss(self, recipe: Recipe) -> float:
        """Return what the slice that fares worst loses against plain vectors, in points of R@10."""
        return self.marks[recipe].worst_loss(self.marks[PLAIN_RECIPE])

    def score(self, recipe: Recipe) -> float:
        """Return the score of a recipe."""
        return self.marks[recipe].score

    def value(self, recipe: Recipe) -> float:
        """Return the score less what the worst slice loses against plain vectors, and less the price of anchors."""
        return self.score(recipe) - LOSS * self.loss(recipe) - PAYS * (recipe.composition.anchors > 0)

    def best(self, among: Iterable[Recipe] | None = None) -> Recipe:
        """Return the recipe of the highest score, of all unless told, and the first measured of equals."""
        return max(self.marks if among is None else among, key=self.score)

    def most_promising(self, among: Iterable[Recipe] | None = None) -> Recipe:
        """Return the recipe of the highest score less what slices fall short, which a further step may mend."""
        found = self.marks if among is None else among
        return max(found, key=lambda recipe: self.score(recipe) - self.shortfall(recipe))

    def fairest(self, among: Iterable[Recipe]) -> Recipe:
        """Return the recipe of the highest value."""
        return max(among, key=self.value)

    def kind_to_new(self, found: Recipe) -> Recipe:
        """Return ``found`` with the highest β that costs no more than :data:`GIVEN`; plain vectors need none.

        It spares the slices, and so does what is returned. The cost is against the fairest β, and it may neither be all
        that this one is ahead of plain vectors nor, for a slice, more than this one costs it.
        """
        if found == PLAIN_RECIPE:
            return found
        self.measure(news(found))
        same = [each for each in news(found) if self.spares(each) and self.score(each) >= self.score(PLAIN_RECIPE)]
        fairest = self.fairest(same)
        least, most = self.score(fairest) - GIVEN, self.loss(fairest)
        given = [each for each in same if self.score(each) >= least and self.loss(each) <= most]
        return max(given, key=lambda recipe: recipe.bonus.new)
