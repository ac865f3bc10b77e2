"""Item vectors composed from the graph: an item is its text and the queries that clicked it.

Shape letters: L items, D embedding width.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recsys.core.composition import PLAIN as PLAIN
from recsys.core.composition import Composition as Composition
from recsys.core.composition import shares_of_queries as shares_of_queries
from recsys.core.composition import unit as unit
from recsys.model.clicks import Clicks

Vectors = npt.NDArray[np.float32]


def mean_of_queries(query_vectors: Vectors, clicks: Clicks) -> Vectors:
    """Return for each item the mean of the vectors of the queries that clicked it, 0 for none; shape (L, D)."""
    sums_LD = np.zeros((clicks.n_items, query_vectors.shape[1]), dtype=np.float32)
    order = np.argsort(clicks.item, kind="stable")
    items, starts, degrees = np.unique(clicks.item[order], return_index=True, return_counts=True)
    for item, start, degree in zip(items, starts, degrees, strict=True):
        sums_LD[item] = query_vectors[clicks.query[order[start : start + degree]]].mean(axis=0)
    return sums_LD


def compose(item_vectors: Vectors, mean_LD: Vectors, degree_L: npt.NDArray[np.int64], how: Composition) -> Vectors:
    """Return unit-norm item vectors, the directions of :func:`sums`; the arguments are the same."""
    return unit(sums(item_vectors, mean_LD, degree_L, how))


def sums(item_vectors: Vectors, mean_LD: Vectors, degree_L: npt.NDArray[np.int64], how: Composition) -> Vectors:
    """Return E(z) + α · n/(n+c) · mean of E(clicking queries), shape (L, D).

    Args:
        item_vectors: E(z), unit norm, shape (L, D).
        mean_LD: From :func:`mean_of_queries`.
        degree_L: n, distinct clicking queries.
        how: α and c.
    """
    weight_L = how.alpha * shares_of_queries(degree_L, how)
    return item_vectors + weight_L[:, None].astype(np.float32) * mean_LD
