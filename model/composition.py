"""Item vectors composed from the graph: an item is its text and the queries that clicked it.

Shape letters: L items, D embedding width.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recsys.core.bonus import WIDTH, widen_items
from recsys.core.composition import PLAIN as PLAIN
from recsys.core.composition import Composition as Composition
from recsys.core.composition import shares_of_queries as shares_of_queries
from recsys.core.composition import unit as unit
from recsys.model.clicks import Clicks
from recsys.model.scratch import MEMORY, Scratch, pieces

Vectors = npt.NDArray[np.float32]


def mean_of_queries(query_vectors: Vectors, clicks: Clicks, scratch: Scratch = MEMORY) -> Vectors:
    """Return for each item the mean of the vectors of the queries that clicked it, 0 for none; shape (L, D)."""
    mean_LD: Vectors = scratch.zeros((clicks.n_items, query_vectors.shape[1]), np.float32)
    for some in pieces(len(clicks.query)):
        order = np.argsort(clicks.item[some], kind="stable")
        item, first = np.unique(clicks.item[some][order], return_index=True)
        mean_LD[item] += np.add.reduceat(query_vectors[clicks.query[some][order]], first, axis=0)
    degree_L = np.maximum(clicks.per_item()[1], 1).astype(np.float32)
    for some in pieces(clicks.n_items):
        mean_LD[some] /= degree_L[some, None]
    return mean_LD


def compose(
    item_vectors: Vectors,
    mean_LD: Vectors,
    degree_L: npt.NDArray[np.int64],
    how: Composition,
    scratch: Scratch = MEMORY,
) -> Vectors:
    """Return unit-norm item vectors, the directions of :func:`sums`; the arguments are the same."""
    return units(sums(item_vectors, mean_LD, degree_L, how, scratch), scratch)


def units(vectors: Vectors, scratch: Scratch = MEMORY) -> Vectors:
    """Return the vectors scaled to unit norm; a zero row stays zero."""
    return scratch.by_rows(vectors.shape, lambda some: unit(vectors[some]))


def widened(vectors: Vectors, degree_L: npt.NDArray[np.int64], scratch: Scratch = MEMORY) -> Vectors:
    """Return item vectors with what a bonus weighs, as :func:`recsys.core.bonus.widen_items` does."""
    rows, width = vectors.shape
    return scratch.by_rows((rows, width + WIDTH), lambda some: widen_items(vectors[some], degree_L[some]))


def sums(
    item_vectors: Vectors,
    mean_LD: Vectors,
    degree_L: npt.NDArray[np.int64],
    how: Composition,
    scratch: Scratch = MEMORY,
) -> Vectors:
    """Return E(z) + α · n/(n+c) · mean of E(clicking queries), shape (L, D).

    Args:
        item_vectors: E(z), unit norm, shape (L, D).
        mean_LD: From :func:`mean_of_queries`.
        degree_L: n, distinct clicking queries.
        how: α and c.
        scratch: Where the sums live.
    """
    weight_L = (how.alpha * shares_of_queries(degree_L, how)).astype(np.float32)
    return scratch.by_rows(item_vectors.shape, lambda some: item_vectors[some] + weight_L[some, None] * mean_LD[some])
