"""Item vectors composed from the graph: an item is its text and the queries that clicked it.

Shape letters: L items, D embedding width.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.model.clicks import Clicks

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Composition:
    """norm( E(z) + α · n/(n+c) · mean of E(clicking queries) ), n the number of clicking queries.

    Attributes:
        alpha: α, weight that an item with many clicking queries gives to them; 0 leaves E(z).
        evidence: c, clicking queries at which half of α is given.
        residual: In place of E(z) stands norm(E(z) + w_z), with w_z learnt after the encoder.
    """

    alpha: float
    evidence: float
    residual: bool = False


PLAIN = Composition(0.0, 0.0)


def mean_of_queries(query_vectors: Vectors, clicks: Clicks) -> Vectors:
    """Return for each item the mean of the vectors of the queries that clicked it, 0 for none; shape (L, D)."""
    sums_LD = np.zeros((clicks.n_items, query_vectors.shape[1]), dtype=np.float32)
    order = np.argsort(clicks.item, kind="stable")
    items, starts, degrees = np.unique(clicks.item[order], return_index=True, return_counts=True)
    for item, start, degree in zip(items, starts, degrees, strict=True):
        sums_LD[item] = query_vectors[clicks.query[order[start : start + degree]]].mean(axis=0)
    return sums_LD


def compose(item_vectors: Vectors, mean_LD: Vectors, degree_L: npt.NDArray[np.int64], how: Composition) -> Vectors:
    """Return unit-norm item vectors.

    Args:
        item_vectors: E(z), unit norm, shape (L, D).
        mean_LD: From :func:`mean_of_queries`.
        degree_L: n, distinct clicking queries.
        how: α and c.
    """
    weight_L = how.alpha * shares_of_queries(degree_L, how)
    return unit(item_vectors + weight_L[:, None].astype(np.float32) * mean_LD)


def shares_of_queries(degree_L: npt.NDArray[np.int64], how: Composition) -> npt.NDArray[np.float64]:
    """Return n/(n+c), the part of α that each item gives to its clicking queries; 0 without any."""
    share_L: npt.NDArray[np.float64] = degree_L / np.maximum(degree_L + how.evidence, 1)
    return share_L


def unit(vectors: Vectors) -> Vectors:
    """Scale rows to unit norm; a zero row stays zero."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(norms > 0, norms, 1)).astype(np.float32, copy=False)
