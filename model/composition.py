"""Item vectors composed from the graph: an item is its text, the queries that clicked it, and those of items like it.

Shape letters: L items, D embedding width.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from recsys.core.bonus import WIDTH, widen_items
from recsys.core.composition import PLAIN as PLAIN
from recsys.core.composition import Composition as Composition
from recsys.core.composition import unit as unit
from recsys.core.composition import weights_of_means as weights_of_means
from recsys.model.clicks import Clicks
from recsys.model.scratch import MADE_AT_ONCE, MEMORY, Scratch, pieces

Rows = npt.NDArray[np.int64]
Vectors = npt.NDArray[np.float32]


def mean_of_queries(query_vectors: Vectors, clicks: Clicks, scratch: Scratch = MEMORY) -> Vectors:
    """Return for each item the mean of the vectors of the queries that clicked it, 0 for none; shape (L, D)."""
    mean_LD: Vectors = scratch.zeros((clicks.n_items, query_vectors.shape[1]), np.float32)
    add_rows(mean_LD, clicks.item, query_vectors, clicks.query)
    degree_L = np.maximum(clicks.per_item()[1], 1).astype(np.float32)
    for some in pieces(clicks.n_items):
        mean_LD[some] /= degree_L[some, None]
    return mean_LD


def add_rows(
    sum_LD: Vectors, item_E: Rows, vectors: Vectors, row_E: Rows, weight_E: npt.NDArray[np.float64] | None = None
) -> None:
    """Add to ``sum_LD[item_E]`` the rows ``row_E`` of ``vectors``, each times its weight, or 1; in place."""
    for some in pieces(len(item_E)):
        order = np.argsort(item_E[some], kind="stable")
        item, first = np.unique(item_E[some][order], return_index=True)
        added_ED = vectors[row_E[some][order]]
        if weight_E is not None:
            added_ED = added_ED * weight_E[some][order, None].astype(np.float32)
        sum_LD[item] += np.add.reduceat(added_ED, first, axis=0)


def compose(
    item_vectors: Vectors,
    mean_LD: Vectors,
    degree_L: npt.NDArray[np.int64],
    how: Composition,
    scratch: Scratch = MEMORY,
    *,
    borrowed_LD: Vectors | None = None,
) -> Vectors:
    """Return unit-norm item vectors, the directions of :func:`sums`; the arguments are the same."""
    return units(sums(item_vectors, mean_LD, degree_L, how, scratch, borrowed_LD=borrowed_LD), scratch)


def with_anchors(text_LD: Vectors, anchors_LD: Vectors | None, how: Composition, scratch: Scratch = MEMORY) -> Vectors:
    """Return E(z) + w_z + δ · A(z), of no unit norm.

    Args:
        text_LD: E(z) + w_z, shape (L, D).
        anchors_LD: A(z), from :func:`recsys.model.anchors.mean_of_anchors`; needed where δ is above 0.
        how: δ.
        scratch: Where the sums live.
    """
    if anchors_LD is None or not how.anchors:
        return text_LD
    weight = np.float32(how.anchors)
    return scratch.by_rows(text_LD.shape, lambda some: text_LD[some] + weight * anchors_LD[some])


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
    *,
    borrowed_LD: Vectors | None = None,
) -> Vectors:
    """Return E(z) + α · (s · own + ρ · (1 − s) · borrowed), of :class:`recsys.core.composition.Composition`, (L, D).

    Args:
        item_vectors: E(z), unit norm, shape (L, D).
        mean_LD: Own, from :func:`mean_of_queries`.
        degree_L: n, distinct clicking queries.
        how: α, c and ρ.
        scratch: Where the sums live.
        borrowed_LD: From :func:`recsys.model.borrowed.means_of_nearest`; needed where ρ is above 0.
    """
    return scratch.by_rows(item_vectors.shape, _summing(item_vectors, mean_LD, degree_L, how, borrowed_LD))


def lengths_of_sums(
    item_vectors: Vectors, mean_LD: Vectors, degree_L: Rows, how: Composition, borrowed_LD: Vectors | None = None
) -> Vectors:
    """Return the lengths of :func:`sums`, which are not kept; the arguments are the same. Shape (L,)."""
    summed = _summing(item_vectors, mean_LD, degree_L, how, borrowed_LD)
    return np.concatenate([np.linalg.norm(summed(some), axis=1) for some in pieces(len(item_vectors), MADE_AT_ONCE)])


def _summing(
    item_vectors: Vectors, mean_LD: Vectors, degree_L: Rows, how: Composition, borrowed_LD: Vectors | None
) -> Callable[[slice], Vectors]:
    own_L, left_L = (weight_L.astype(np.float32) for weight_L in weights_of_means(degree_L, how))

    def summed(some: slice) -> Vectors:
        sum_ND: Vectors = item_vectors[some] + own_L[some, None] * mean_LD[some]
        if borrowed_LD is not None:
            sum_ND += left_L[some, None] * borrowed_LD[some]
        return sum_ND

    return summed
