"""How items are scored for a query: composed vectors, prototypes, a bonus for new and for popular items, and votes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from recsys.core.bonus import NO_BONUS, Bonus
from recsys.model.composition import PLAIN, Composition


@dataclass(frozen=True)
class Recipe:
    """E(x) · v(z) + bonus of z + w · votes(x, z), v the composed item vector, as in :mod:`recsys.core.bonus`.

    Attributes:
        composition: α, c and what stands in place of E(z) in the item vectors.
        bonus: β of items that nobody clicked and γ of popular ones.
        votes: w, weight of the nearest training queries' votes; 0 is a single search.
        prototypes: Vectors of an item beside v(z), at most; the highest product counts.
    """

    composition: Composition = PLAIN
    bonus: Bonus = NO_BONUS
    votes: float = 0.0
    prototypes: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return it as it stands in manifests and metrics."""
        return asdict(self)


PLAIN_RECIPE = Recipe()

IN_TRAINING = (
    PLAIN_RECIPE,
    Recipe(Composition(2.0, 1.0)),
    Recipe(Composition(8.0, 30.0)),
    Recipe(Composition(8.0, 30.0), bonus=Bonus(0.05, 0.02)),
)
"How items are composed to choose the best checkpoint, whichever is best; the final choice is made after training."
