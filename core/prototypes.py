"""Prototypes: further vectors of an item, drawn towards queries that clicked it, the same while measuring and serving.

An item with the vector v has beside it norm(v + λ·E(x)) for the k queries x that clicked it most, and its score is the
highest over all its vectors (MaxSim). The bonus of the item is added whichever that is. On held-out queries of two
data sets such vectors were ahead of the queries' own, which λ → ∞ would give and which lost to v alone.

Shape letters: B queries asked, D encoder's width, L items, P prototypes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.core.portions import portions
from recsys.core.run import Table, Vectors
from recsys.core.scoring import Scoring
from recsys.core.votes import ballots_of_table

LEAN: Final = 0.25
"λ, how far an item's vector is drawn towards a query."

_ITEMS_AT_ONCE = 2048
_PAIRS_AT_ONCE = 1 << 18
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
"Multiplied with it, successive rows come in an order that has nothing to do with their own."

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Prototypes:
    """Which queries each item is drawn towards; the vectors are made when they are needed.

    Attributes:
        start: Where an item's queries begin, and in the end their number; shape (L + 1,).
        query: Query rows of all items one after the other, the most clicks first; shape (P,).
        vectors: E(x) of all query rows, of unit norm.
    """

    start: Rows
    query: Rows
    vectors: Vectors

    @property
    def most(self) -> int:
        """Prototypes of the item that has most of them."""
        return int(np.diff(self.start).max(initial=0))

    def queries_of(self, item: int) -> Rows:
        """Return the rows of the queries that an item is drawn towards."""
        return self.query[self.start[item] : self.start[item + 1]]

    def all_vectors(self, item_LD: Vectors, item: int) -> Vectors:
        """Return the item's own vector and those beside it, shape (1 + k, D or D + 2).

        Args:
            item_LD: Item vectors, with or without the dimensions of the bonus.
            item: Row of the item.
        """
        queries = self.queries_of(item)
        return np.concatenate([item_LD[[item]], self._drawn(item_LD[[item] * len(queries)], queries)])

    def raise_scores(
        self, scores_BL: Vectors, asked_BD: Vectors, item_LD: Vectors, layers: range | None = None
    ) -> None:
        """Raise scores by the items' own vectors to the highest over all their vectors, in place.

        Args:
            scores_BL: asked · items.
            asked_BD: Queries, ready for a search of these items.
            item_LD: Item vectors, with or without the dimensions of the bonus.
            layers: Prototypes that count, by their place among those of an item; all unless given.
        """
        size_L = np.diff(self.start)
        for layer in range(self.most) if layers is None else layers:
            for item_N in _pieces(np.flatnonzero(size_L > layer)):
                near_BN = asked_BD @ self._drawn(item_LD[item_N], self.query[self.start[item_N] + layer]).T
                scores_BL[:, item_N] = np.maximum(scores_BL[:, item_N], near_BN)

    def _drawn(self, item_PD: Vectors, query_P: Rows) -> Vectors:
        width = self.vectors.shape[1]
        summed_PD = item_PD[:, :width] + np.float32(LEAN) * self.vectors[query_P]
        norm_P1 = np.linalg.norm(summed_PD, axis=1, keepdims=True)
        unit_PD = summed_PD / np.where(norm_P1 > 0, norm_P1, 1)
        return np.column_stack([unit_PD, item_PD[:, width:]]).astype(np.float32, copy=False)


def choose_prototypes(
    query_N: Rows, item_N: Rows, clicks_N: Rows, vectors: Vectors, n_items: int, k: int
) -> Prototypes:
    """Choose the ``k`` queries that clicked an item most, in a hashed order among equals; none with the zero vector.

    Args:
        query_N: Query rows of the clicked pairs.
        item_N: Item rows.
        clicks_N: Clicks of each pair.
        vectors: E(x) of all query rows.
        n_items: L.
        k: Queries of an item, at most.
    """
    able_Q = np.asarray(vectors.any(axis=1))
    queries, sizes = [np.empty(0, np.int64)], [np.zeros(1, np.int64)]
    for first, end in portions(np.bincount(item_N, minlength=n_items), _PAIRS_AT_ONCE):
        place = np.flatnonzero((item_N >= first) & (item_N < end))
        place = place[able_Q[query_N[place]]]
        query, item = query_N[place], item_N[place]
        order = np.lexsort((query.astype(np.uint64) * _SPREAD, -clicks_N[place], item))
        query, item = query[order], item[order]
        kept = np.arange(len(item)) - np.searchsorted(item, item) < k
        queries.append(query[kept])
        sizes.append(np.bincount(item[kept] - first, minlength=end - first))
    return Prototypes(np.cumsum(np.concatenate(sizes)), np.concatenate(queries), vectors)


def prototypes_of(queries: Table, n_items: int, scoring: Scoring) -> Prototypes | None:
    """Return the prototypes of a run's items, from the ballots of its queries; None where items have no such vectors.

    Args:
        queries: Of the run.
        n_items: L.
        scoring: How the items are to be searched.
    """
    if not scoring.prototypes:
        return None
    width = queries.vectors.shape[1] - scoring.extra
    return choose_prototypes(*ballots_of_table(queries), queries.vectors[:, :width], n_items, scoring.prototypes)


def _pieces(rows: Rows) -> Iterator[Rows]:
    for start in range(0, len(rows), _ITEMS_AT_ONCE):
        yield rows[start : start + _ITEMS_AT_ONCE]
