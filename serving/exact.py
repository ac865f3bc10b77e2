"""Exact search of a run's own vectors, which an index is measured against.

Shape letters: B queries, D width, L items.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from recsys.core.prototypes import Prototypes
from recsys.core.run import Vectors

SCORES = 1 << 24
"Scores held at once: 64 MiB."
TIE = 1e-5
"Scores that differ by less are equal: the sums are made in another order there."

Rows = list[int]


def best_rows(query_BD: Vectors, item_LD: Vectors, k: int, prototypes: Prototypes | None = None) -> list[Rows]:
    """Return the rows of the ``k`` highest dot products of each query, best first; none for a zero vector.

    Args:
        query_BD: Queries.
        item_LD: Items.
        k: Rows wanted.
        prototypes: Further vectors of the items; the highest product of an item counts.
    """
    found: list[Rows] = []
    k = min(k, len(item_LD))
    for _, scores_BL in _blocks(query_BD, item_LD, prototypes):
        best_BK = np.argpartition(-scores_BL, k - 1, axis=1)[:, :k]
        order_BK = np.argsort(-np.take_along_axis(scores_BL, best_BK, axis=1), axis=1)
        found += np.take_along_axis(best_BK, order_BK, axis=1).tolist()
    return [rows if vector.any() else [] for rows, vector in zip(found, query_BD, strict=True)]


def recall(
    found: Sequence[Rows], query_BD: Vectors, item_LD: Vectors, k: int, prototypes: Prototypes | None = None
) -> float:
    """Return the share of the exact first ``k`` that was found, mean over the queries; items of equal score are equal.

    Args:
        found: At most ``k`` rows for each query.
        query_BD: Queries; those with the zero vector take no part.
        item_LD: Items.
        k: Ranks that count.
        prototypes: As above.
    """
    k, shares = min(k, len(item_LD)), []
    for start, scores_BL in _blocks(query_BD, item_LD, prototypes):
        least_B = np.partition(scores_BL, -k, axis=1)[:, -k]
        for position, (scores_L, least) in enumerate(zip(scores_BL, least_B, strict=True), start=start):
            if query_BD[position].any():
                shares.append((scores_L[list(set(found[position]))] >= least - TIE).sum() / k)
    return float(np.mean(shares)) if shares else 1.0


def _blocks(
    query_BD: Vectors, item_LD: Vectors, prototypes: Prototypes | None
) -> Iterator[tuple[int, npt.NDArray[np.float32]]]:
    step = max(1, SCORES // max(len(item_LD), 1))
    for start in range(0, len(query_BD), step):
        scores_BL = query_BD[start : start + step] @ item_LD.T
        if prototypes is not None:
            prototypes.raise_scores(scores_BL, query_BD[start : start + step], item_LD)
        yield start, scores_BL
