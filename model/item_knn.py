"""Item-kNN for texts: the items that BM25 finds by title, and those that the same queries clicked.

Cosine neighbours as in Sarwar et al., "Item-based Collaborative Filtering Recommendation Algorithms", WWW 2001.

Shape letters: B queries, I items, K ranks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_array, diags_array

from recsys.model.baselines import Bm25
from recsys.model.ranking import Pairs, Rows, Scores, rank_blocks

SEEDS = 20
"Items found by title that lead to others."
NEIGHBOURS = 20
"Neighbours kept per item."


def item_neighbours(clicks_QI: csr_array, neighbours: int = NEIGHBOURS) -> csr_array:
    """Return cos(i, j) = n_ij / √(n_i n_j) over the queries that clicked both, the largest per item.

    Args:
        clicks_QI: Training clicks; counts do not matter, only whether there is any.
        neighbours: Entries kept per row; ties go to the smaller item.

    Returns:
        Shape (I, I), without the diagonal.
    """
    clicked_QI = csr_array((np.ones(clicks_QI.nnz), clicks_QI.indices, clicks_QI.indptr), shape=clicks_QI.shape)
    norm_I = np.sqrt(np.bincount(clicked_QI.indices, minlength=clicked_QI.shape[1]))
    scaled_QI = clicked_QI @ diags_array(1 / np.maximum(norm_I, 1))
    cosine = csr_array(scaled_QI.T @ scaled_QI).tocoo()
    row, column = cosine.coords
    other = row != column
    row, column, value = row[other], column[other], cosine.data[other]
    order = np.lexsort((column, -value, row))
    row, column, value = row[order], column[order], value[order]
    starts = np.searchsorted(row, np.arange(clicks_QI.shape[1]))
    kept = np.arange(len(row)) - starts[row] < neighbours
    return csr_array((value[kept], (row[kept], column[kept])), shape=cosine.shape)


def rank_by_item_neighbours(
    item_texts: Sequence[str], clicks_QI: csr_array, query_texts: Sequence[str], k: int, excluded: Pairs
) -> Rows:
    """Rank items by s + s·N, s the title scores of the :data:`SEEDS` best items and N their neighbours.

    Args:
        item_texts: Titles by item row.
        clicks_QI: Training clicks.
        query_texts: What is asked.
        k: Ranks wanted.
        excluded: Pairs that are never ranked.
    """
    index = Bm25(item_texts)
    near_II = item_neighbours(clicks_QI)

    def score(block: slice) -> Scores:
        scores_BI = np.zeros((block.stop - block.start, len(item_texts)), np.float32)
        for seeds_I, text in zip(scores_BI, query_texts[block], strict=True):
            found, values = index.nearest(text, SEEDS)
            seeds_I[found] = values
        scores_BI += (csr_array(scores_BI) @ near_II).toarray().astype(np.float32)
        scores_BI[scores_BI <= 0] = -np.inf
        return scores_BI

    return rank_blocks(score, len(query_texts), len(item_texts), k, excluded=excluded, description="item-kNN")
