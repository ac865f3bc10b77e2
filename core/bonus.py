"""What an item gets for being new or popular, as one more dimension of every vector.

Item vectors end with t(n)/10, where t is 1 for an item that nobody clicked and ρ·ln(1 + n) for one that n queries
clicked; query vectors end with 10·β. Their dot product is the cosine plus β·t(n). So β belongs to the query, and one
collection serves searches with different ones; ρ belongs to the items. Batches show items as often as they are clicked,
as positives and negatives alike, so that popularity cancels out of the cosine, and this brings it back. Such vectors
have no unit norm, and the search must rank by dot product.

Shape letters: B queries, D embedding width, L items.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]

UNIT: Final = 0.1
"Last coordinate of an item that nobody clicked; small, so that two such items are hardly nearer to each other by it."


def bonus_of_items(degree_L: npt.NDArray[np.int64], popularity: float) -> npt.NDArray[np.float64]:
    """Return t(n), which β is multiplied by.

    Args:
        degree_L: n, distinct queries that clicked each item.
        popularity: ρ, 0 or more.
    """
    bonus_L: npt.NDArray[np.float64] = np.where(degree_L == 0, 1.0, popularity * np.log1p(degree_L))
    return bonus_L


def widen_items(item_LD: Vectors, degree_L: npt.NDArray[np.int64], popularity: float) -> Vectors:
    """Append :data:`UNIT` · t(n) to every item; shape (L, D + 1).

    Args:
        item_LD: Unit-norm item vectors.
        degree_L: n, distinct queries that clicked each item.
        popularity: ρ, 0 or more.
    """
    return np.column_stack([item_LD, UNIT * bonus_of_items(degree_L, popularity)]).astype(np.float32, copy=False)


def widen_queries(query_BD: Vectors, bonus: float) -> Vectors:
    """Append β/:data:`UNIT` to every query; shape (B, D + 1).

    Args:
        query_BD: Unit-norm query vectors; a zero vector, of a text without a known word, stays zero.
        bonus: β, in cosine.
    """
    return np.column_stack([query_BD, query_BD.any(axis=1) * (bonus / UNIT)]).astype(np.float32, copy=False)
