"""The bonus of items that nobody clicked yet, as one more dimension of every vector.

Item vectors end with 0.1 where nobody clicked and with 0 elsewhere, query vectors end with β/0.1: their dot product is
the cosine plus β for items that nobody clicked. So β belongs to the query, and one collection serves searches with
different ones. Such vectors have no unit norm, and the search must rank by dot product.

Shape letters: B queries, D embedding width, L items.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]

UNIT: Final = 0.1
"Last coordinate of an item that nobody clicked; small, so that two such items are hardly nearer to each other by it."


def widen_items(item_LD: Vectors, degree_L: npt.NDArray[np.int64]) -> Vectors:
    """Append :data:`UNIT` to the items without clicking queries and 0 to the others; shape (L, D + 1).

    Args:
        item_LD: Unit-norm item vectors.
        degree_L: Distinct queries that clicked each item.
    """
    return np.column_stack([item_LD, np.where(degree_L == 0, UNIT, 0)]).astype(np.float32, copy=False)


def widen_queries(query_BD: Vectors, bonus: float) -> Vectors:
    """Append β/:data:`UNIT` to every query; shape (B, D + 1).

    Args:
        query_BD: Unit-norm query vectors; a zero vector, of a text without a known word, stays zero.
        bonus: β, in cosine.
    """
    return np.column_stack([query_BD, query_BD.any(axis=1) * (bonus / UNIT)]).astype(np.float32, copy=False)
