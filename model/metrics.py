"""Ranking metrics of extreme classification: P@k, nDCG@k, R@k and their propensity-scored kin PSP@k.

Each distinct (query, item) pair counts once. Figures are means over the queries that have gold items, in percent.

Shape letters: B queries, K ranks, L items.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

CUTOFFS = (1, 3, 5)
"Cut-offs of P, nDCG and PSP unless asked otherwise."
RECALL_CUTOFFS = (10, 100)
"Cut-offs of R."
PROPENSITY_A = 0.55
PROPENSITY_B = 1.5


@dataclass(frozen=True)
class Gold:
    """The relevant items of each query, sparse.

    An item that no ranking can hold, because the run does not know it, gets a row at or above L: it stays in the gold
    as a miss.

    Attributes:
        indptr: Query i owns ``indices[indptr[i]:indptr[i + 1]]``; shape (B + 1).
        indices: Item rows, ascending within a query, each once.
    """

    indptr: Rows
    indices: Rows

    @classmethod
    def from_pairs(cls, query_positions: npt.ArrayLike, item_rows: npt.ArrayLike, n_queries: int) -> Self:
        """Sort parallel arrays of pairs by query; repeated pairs count once.

        Args:
            query_positions: Positions from 0 to ``n_queries`` (exclusive).
            item_rows: Rows from 0.
            n_queries: B; a query may be left without pairs.
        """
        pairs = np.stack([np.asarray(query_positions, np.int64), np.asarray(item_rows, np.int64)], axis=1)
        unique = np.unique(pairs.reshape(-1, 2), axis=0)
        indptr = np.searchsorted(unique[:, 0], np.arange(n_queries + 1))
        return cls(indptr.astype(np.int64), unique[:, 1].copy())

    @property
    def sizes(self) -> Rows:
        """Number of gold items per query, shape (B)."""
        return np.diff(self.indptr)

    @property
    def positions(self) -> Rows:
        """Query position of each entry of ``indices``."""
        return np.repeat(np.arange(len(self.sizes), dtype=np.int64), self.sizes)

    def restrict(self, keep: npt.NDArray[np.bool_]) -> Self:
        """Return the gold of the same queries with only the pairs where ``keep``, parallel to ``indices``, is true."""
        return self.from_pairs(self.positions[keep], self.indices[keep], len(self.sizes))


def propensities(degree: npt.ArrayLike, n_queries: int, *, a: float = PROPENSITY_A, b: float = PROPENSITY_B) -> Floats:
    """Return p_l, the estimated chance that a relevant item is observed at all; 1/p_l grows towards the tail.

    1/p_l = 1 + C (N_l + B)^(−A) with C = (ln N − 1)(B + 1)^A: Jain, Prabhu, Varma, "Extreme Multi-label Loss Functions
    for Recommendation, Tagging, Ranking & Other Missing Label Applications", KDD 2016, section 4.

    Args:
        degree: N_l, distinct training queries that clicked the item, 0 or more; shape (L).
        n_queries: N, training queries. Under e, where C would be negative, every p_l is 1.
        a: A of the formula.
        b: B of the formula.

    Returns:
        In (0, 1], shape (L).
    """
    scale = max(np.log(max(n_queries, 1)) - 1, 0) * (b + 1) ** a
    result: Floats = 1 / (1 + scale * (np.asarray(degree, np.float64) + b) ** -a)
    return result


def evaluate_ranking(
    ranked_BK: Rows,
    gold: Gold,
    *,
    propensity_L: Floats | None = None,
    ks: Sequence[int] = CUTOFFS,
    recall_ks: Sequence[int] = RECALL_CUTOFFS,
) -> dict[str, float]:
    """Compare rankings with the gold.

    With h_j = 1 where the item at rank j is gold and y the gold items of a query:
    P@k = Σ_{j≤k} h_j / k. R@k = Σ_{j≤k} h_j / |y|.
    nDCG@k = Σ_{j≤k} h_j/log2(j + 1) over its ideal, Σ_{j≤min(k,|y|)} 1/log2(j + 1).
    PSP@k = mean of Σ_{j≤k} h_j/p_j over the mean of the best sum that k gold items can attain: a ratio of means, so
    that the best ranking scores 100 (Jain et al., KDD 2016, and their evaluation scripts).

    Args:
        ranked_BK: Item rows, best first; −1 where nothing was ranked. K is at least every cut-off.
        gold: Of the same queries; those without gold take no part.
        propensity_L: p of every row that ``gold`` mentions; without it PSP is left out.
        ks: Cut-offs of P, nDCG and PSP.
        recall_ks: Cut-offs of R.

    Returns:
        ``P@k``, ``nDCG@k``, ``PSP@k`` and ``R@k`` in percent, in this order; 0 where no query has gold.
    """
    figures = query_figures(ranked_BK, gold, propensity_L=propensity_L, ks=ks, recall_ks=recall_ks)
    return {name: 100 * float(values_B.mean()) if values_B.size else 0.0 for name, values_B in figures.items()}


def query_figures(
    ranked_BK: Rows,
    gold: Gold,
    *,
    propensity_L: Floats | None = None,
    ks: Sequence[int] = CUTOFFS,
    recall_ks: Sequence[int] = RECALL_CUTOFFS,
) -> dict[str, Floats]:
    """Return what :func:`evaluate_ranking` takes the mean of: a value for each query that has gold, in their order.

    PSP@k of a query is its sum over the mean of the best sums of all queries, so it may exceed 1.
    """
    has_gold = gold.sizes > 0
    hits_BK = find_hits(ranked_BK, gold)[has_gold]
    size_B = gold.sizes[has_gold]
    found_BK = np.cumsum(hits_BK, axis=1)
    figures: dict[str, Floats] = {f"P@{k}": found_BK[:, k - 1] / k for k in ks}
    figures |= {f"nDCG@{k}": _ndcg(hits_BK, size_B, k) for k in ks}
    if propensity_L is not None:
        inverse_L = 1 / propensity_L
        gain_BK = np.where(hits_BK, inverse_L[ranked_BK[has_gold]], 0.0)
        best_BK = best_gains(inverse_L, gold, max(ks, default=0))[has_gold]
        figures |= {f"PSP@{k}": _over_mean(gain_BK[:, :k].sum(axis=1), best_BK[:, :k].sum(axis=1)) for k in ks}
    return figures | {f"R@{k}": found_BK[:, k - 1] / size_B for k in recall_ks}


def find_hits(ranked_BK: Rows, gold: Gold) -> npt.NDArray[np.bool_]:
    """Return where a ranked item is gold for its query, shape (B, K)."""
    if not gold.indices.size:
        return np.zeros(ranked_BK.shape, dtype=bool)
    # One sorted key per gold pair turns membership of all queries at once into a binary search.
    width = int(max(gold.indices.max(), ranked_BK.max(initial=0))) + 1
    gold_keys = gold.positions * width + gold.indices
    keys_BK = np.arange(len(ranked_BK), dtype=np.int64)[:, None] * width + ranked_BK
    places_BK = np.searchsorted(gold_keys, keys_BK).clip(max=gold_keys.size - 1)
    hits_BK: npt.NDArray[np.bool_] = (gold_keys[places_BK] == keys_BK) & (ranked_BK >= 0)
    return hits_BK


def _ndcg(hits_BK: npt.NDArray[np.bool_], size_B: Rows, k: int) -> Floats:
    discount_K = 1 / np.log2(np.arange(2, k + 2))
    ideal_K = np.cumsum(discount_K)
    ndcg_B: Floats = hits_BK[:, :k] @ discount_K / ideal_K[np.minimum(size_B, k) - 1]
    return ndcg_B


def best_gains(inverse_L: Floats, gold: Gold, k: int) -> Floats:
    """Return the k largest 1/p of each query's gold items, 0 where it has fewer; shape (B, k)."""
    positions, gains = gold.positions, inverse_L[gold.indices]
    order = np.lexsort((-gains, positions))
    rank = np.arange(positions.size) - gold.indptr[positions]
    best_BK = np.zeros((len(gold.sizes), k))
    top = rank < k
    best_BK[positions[top], rank[top]] = gains[order][top]
    return best_BK


def _over_mean(attained_B: Floats, best_B: Floats) -> Floats:
    best = best_B.mean() if best_B.size else 0.0
    return attained_B / best if best else np.zeros_like(attained_B)
