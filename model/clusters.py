"""Clusters of equal size by 2-means over and over, as NGAME fills its batches with (arXiv 2207.04452, section 3).

Shape letters: N rows, D embedding width, S clusters that are being split.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from recsys.model.composition import Vectors, unit

Rows = npt.NDArray[np.int64]

ROUNDS = 4
"Times that the two means of a split are moved."
_BLOCK = 1 << 12


def balanced_clusters(vectors_ND: Vectors, size: int, rng: np.random.Generator) -> Rows:
    """Split all rows in two by spherical 2-means, and these again, until every cluster has ``size`` rows.

    Each side of a split gets a fixed number of rows, those that lean most to its mean, such that in the end all but one
    cluster are full. Every split begins with two rows that are far apart; chance chooses the row they are sought from.

    Args:
        vectors_ND: Unit vectors.
        size: Rows per cluster, 1 or more; one cluster may have fewer.
        rng: Used once per split.

    Returns:
        Number of each row's cluster, from 0.
    """
    order_N = np.arange(len(vectors_ND))
    first = np.array([0, len(vectors_ND)])
    while np.diff(first).max() > size:
        order_N, first = _split(vectors_ND, order_N, first, size, rng)
    cluster_N = np.empty(len(vectors_ND), dtype=np.int64)
    cluster_N[order_N] = np.repeat(np.arange(len(first) - 1), np.diff(first))
    return cluster_N


def _split(vectors_ND: Vectors, order_N: Rows, first: Rows, size: int, rng: np.random.Generator) -> tuple[Rows, Rows]:
    """Return rows ordered by cluster and where clusters begin, each that is larger than ``size`` split in two."""
    count_S = np.diff(first)
    cluster_N = np.repeat(np.arange(len(count_S)), count_S)
    full_S = -(-count_S // size)
    cut_S = first[:-1] + np.minimum((full_S + 1) // 2 * size, count_S)
    halves = np.append(np.stack([first[:-1], cut_S], axis=1).ravel(), first[-1])

    def towards(direction_SD: Vectors) -> Rows:
        """Return the rows of each cluster in the order of their dot product with its direction, highest first."""
        return order_N[np.lexsort((-_dots(vectors_ND, order_N, direction_SD, cluster_N), cluster_N))]

    somewhere_S = order_N[first[:-1] + (rng.random(len(count_S)) * count_S).astype(np.int64)]
    one_S = towards(-vectors_ND[somewhere_S])[first[:-1]]
    other_S = towards(-vectors_ND[one_S])[first[:-1]]
    direction_SD = vectors_ND[one_S] - vectors_ND[other_S]
    ordered_N = towards(direction_SD)
    for _ in range(ROUNDS):
        members = csr_array(
            (np.ones(len(ordered_N), np.float32), ordered_N, halves), shape=(2 * len(count_S), len(vectors_ND))
        )
        mean_SD = unit(members @ vectors_ND)
        before_N, ordered_N = ordered_N, towards(mean_SD[::2] - mean_SD[1::2])
        if np.array_equal(before_N, ordered_N):
            break
    return ordered_N, np.unique(halves)


def _dots(vectors_ND: Vectors, rows_N: Rows, direction_SD: Vectors, cluster_N: Rows) -> npt.NDArray[np.float32]:
    """Return the dot product of each row with the direction of its cluster, block by block."""
    dots_N = np.empty(len(rows_N), dtype=np.float32)
    for start in range(0, len(rows_N), _BLOCK):
        part = slice(start, start + _BLOCK)
        dots_N[part] = np.einsum("nd,nd->n", vectors_ND[rows_N[part]], direction_SD[cluster_N[part]])
    return dots_N
