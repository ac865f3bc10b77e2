"""Exact top-k ranking, block by block, with filtered pairs taken out before the best are chosen.

Shape letters: B queries, D embedding width, K ranks, L items.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from recsys.core.progress import progress
from recsys.core.prototypes import Prototypes

Rows = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float32]
Pairs = tuple[npt.ArrayLike, npt.ArrayLike]
"Parallel arrays: query positions and item rows."

BLOCK_SCORES = 1 << 22
"Scores held at once, whatever the number of queries and items: 16 MiB, which a processor's cache takes."


def top_k(
    queries_BD: Scores,
    items_LD: Scores,
    k: int,
    *,
    excluded: Pairs | None = None,
    prototypes: Prototypes | None = None,
) -> Rows:
    """Rank the items of each query by dot product.

    Args:
        queries_BD: Query vectors. A zero vector, which a text without a known word may get, ranks nothing rather than
            items at random; NaN counts as 0.
        items_LD: Item vectors; NaN counts as 0.
        k: Ranks wanted, 1 or more.
        excluded: Pairs that are never ranked; their places go to the next best.
        prototypes: Further vectors of the items; the highest product of an item counts.

    Returns:
        Item rows, best first, equal scores by lower row; −1 where fewer than ``k`` are left. Shape (B, k).
    """
    queries_BD, items_LD = without_nan(queries_BD), without_nan(items_LD)

    def score(block: slice) -> Scores:
        scores_BL = queries_BD[block] @ items_LD.T
        if prototypes is not None:
            prototypes.raise_scores(scores_BL, queries_BD[block], items_LD)
        scores_BL[~queries_BD[block].any(axis=1)] = -np.inf
        return scores_BL

    return rank_blocks(score, len(queries_BD), len(items_LD), k, excluded=excluded)


def without_nan(vectors: Scores) -> Scores:
    """Return the vectors with 0 for NaN; a copy where there is any, since copies of large arrays are dear."""
    return np.nan_to_num(vectors, nan=0.0) if np.isnan(vectors.sum()) else vectors


def rank_blocks(
    score: Callable[[slice], Scores],
    n_queries: int,
    n_items: int,
    k: int,
    *,
    excluded: Pairs | None = None,
    description: str | None = None,
) -> Rows:
    """Rank items by scores that are made one block of queries at a time.

    Args:
        score: Takes a slice of query positions, returns fresh scores of all items, shape (block, L); −inf is never
            ranked. The array is overwritten.
        n_queries: B.
        n_items: L.
        k: Ranks wanted, 1 or more.
        excluded: Pairs that are never ranked.
        description: Name on the progress bar; none without it.

    Returns:
        As :func:`top_k`.
    """
    positions, rows = np.asarray(excluded or ([], []), dtype=np.int64)
    order = np.argsort(positions, kind="stable")
    positions, rows = positions[order], rows[order]
    ranked_BK = np.empty((n_queries, k), dtype=np.int64)
    size = max(1, BLOCK_SCORES // max(n_items, 1))
    starts = range(0, n_queries, size)
    for start in progress(starts, description, unit="block") if description else starts:
        block = slice(start, min(start + size, n_queries))
        scores_BL = score(block)
        first, last = np.searchsorted(positions, (block.start, block.stop))
        scores_BL[positions[first:last] - start, rows[first:last]] = -np.inf
        ranked_BK[block] = best(scores_BL, k)
    return ranked_BK


def best(scores_BL: Scores, k: int) -> Rows:
    """Return the columns of the ``k`` highest scores per row, best first.

    Equal scores go by lower column, also at the boundary, so that the result never depends on the sorting algorithm.

    Args:
        scores_BL: Scores without NaN; −inf is never chosen.
        k: Ranks wanted, 1 or more.

    Returns:
        Columns, −1 where fewer than ``k`` scores are above −inf; shape (B, k).
    """
    best_BK = np.full((len(scores_BL), k), -1, dtype=np.int64)
    for best_K, scores_L in zip(best_BK, scores_BL, strict=True):
        columns = _best_of_row(scores_L, k)
        best_K[: columns.size] = columns
    return best_BK


def _best_of_row(scores_L: Scores, k: int) -> Rows:
    # Row by row, because partitioning is a hundred times slower with the many equal −inf of a sparse row left in.
    columns = np.flatnonzero(scores_L > -np.inf)
    scores = scores_L[columns]
    if columns.size > k:
        last = np.partition(scores, columns.size - k)[columns.size - k]
        above, ties = np.flatnonzero(scores > last), np.flatnonzero(scores == last)
        chosen = np.sort(np.concatenate([above, ties[: k - above.size]]))
        columns, scores = columns[chosen], scores[chosen]
    return columns[np.argsort(-scores, kind="stable")]
