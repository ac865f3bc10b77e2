"""What an item gets for being new or popular, as two more dimensions of every vector.

Item vectors end with 0.1 where nobody clicked the item, else 0, and with 0.01·ln(1 + n) where n queries clicked it;
query vectors end with 10·β and 100·γ. Their dot product is the cosine plus β for new items and γ·ln(1 + n) for others.
So both weights belong to the query, and one collection serves searches with different ones. Batches show items as often
as they are clicked, as positives and negatives alike, so that popularity cancels out of the cosine, and γ brings it
back. Such vectors have no unit norm, and the search must rank by dot product.

Shape letters: B queries, D embedding width, L items.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]

UNITS: Final = (0.1, 0.01)
"Of the last coordinates of an item; small, so that two new items are hardly nearer to each other by them."
WIDTH: Final = len(UNITS)
"Dimensions that come on top."


@dataclass(frozen=True)
class Bonus:
    """Weights of one search.

    Attributes:
        new: β, in cosine, of items that nobody clicked.
        popular: γ, in cosine, of ln(1 + n), n the distinct queries that clicked an item.
    """

    new: float = 0.0
    popular: float = 0.0

    def __bool__(self) -> bool:
        return self.new > 0 or self.popular > 0

    def of_items(self, degree_L: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Return what items of these n get, shape (L,)."""
        bonus_L: npt.NDArray[np.float64] = np.where(degree_L == 0, self.new, self.popular * np.log1p(degree_L))
        return bonus_L

    @property
    def suffix(self) -> tuple[float, float]:
        """What ends a query vector."""
        return self.new / UNITS[0], self.popular / UNITS[1]


NO_BONUS: Final = Bonus()


def widen_items(item_LD: Vectors, degree_L: npt.NDArray[np.int64]) -> Vectors:
    """Append what :class:`Bonus` weighs to every item; shape (L, D + 2).

    Args:
        item_LD: Unit-norm item vectors.
        degree_L: n, distinct queries that clicked each item.
    """
    tail_L2 = np.stack([UNITS[0] * (degree_L == 0), UNITS[1] * np.log1p(degree_L)], axis=1)
    return np.column_stack([item_LD, tail_L2.astype(np.float32)]).astype(np.float32, copy=False)


def widen_queries(query_BD: Vectors, bonus: Bonus) -> Vectors:
    """Append the weights to every query; shape (B, D + 2).

    Args:
        query_BD: Unit-norm query vectors; a zero vector, of a text without a known word, stays zero.
        bonus: Of the search that they are for.
    """
    tail_B2 = np.outer(query_BD.any(axis=1), bonus.suffix).astype(np.float32)
    return np.column_stack([query_BD, tail_B2]).astype(np.float32, copy=False)
