"""The items nearest to each training query that it did not click, exact or, in large catalogues, by clusters.

Shape letters: T training queries, K near items kept per query, L items, D embedding width.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from recsys.core.memory import give_back
from recsys.model.clicks import Clicks
from recsys.model.composition import Vectors
from recsys.model.near_in_clusters import nearest_in_clusters
from recsys.model.nearest import LeftOut, Near, Rows, nearest
from recsys.model.pairs import PairsByQuery
from recsys.model.scratch import MEMORY, Scratch, pieces

NEAREST = 20
"Near items kept per query; each batch draws one of them."
LARGE = 1 << 34
"Queries times items from which on CPUs search by clusters; up to here an exact search takes a minute of two of them."


@dataclass(frozen=True)
class KnownPairs:
    """What are no negatives of training queries: their clicks, and what is excluded.

    Attributes:
        query_T: The queries, ascending rows.
        clicked: Their clicks.
        excluded: Further pairs.
    """

    query_T: Rows
    clicked: PairsByQuery
    excluded: PairsByQuery

    @classmethod
    def of(cls, clicks: Clicks, excluded: PairsByQuery) -> KnownPairs:
        """Return those of ``clicks`` and ``excluded``."""
        return cls(clicks.queries, PairsByQuery(clicks.query, clicks.item), excluded)

    def __call__(self, some: slice) -> tuple[Rows, Rows]:
        """Return places in ``query_T[some]``, and items."""
        query = self.query_T[some]
        edges = [pairs.edges_of(query) for pairs in (self.clicked, self.excluded)]
        position = np.searchsorted(query, np.concatenate([each.source for each in edges]))
        return position, np.concatenate([each.target for each in edges])


def nearest_clicked(
    queries_TD: Vectors,
    items_LD: Vectors,
    degree_L: Rows,
    known: LeftOut,
    device: torch.device,
    seed: int,
    scratch: Scratch = MEMORY,
) -> Near:
    """Return the :data:`NEAREST` items per query of those that somebody clicked, since no other is ever drawn.

    Where there are more than :data:`LARGE` pairs to compare, :func:`recsys.model.near_in_clusters.nearest_in_clusters`
    says which it finds.

    Args:
        queries_TD: Query vectors.
        items_LD: Item vectors.
        degree_L: Distinct training queries that clicked each item.
        known: Pairs that are left out.
        device: Where to multiply.
        seed: Of the clusters.
        scratch: Where the result lives.

    Returns:
        Item rows, −1 where fewer are left; shape (T, K).
    """
    clicked = np.flatnonzero(degree_L)

    def left_out(some: slice) -> tuple[Rows, Rows]:
        position, item = known(some)
        inside = degree_L[item] > 0
        return position[inside], np.searchsorted(clicked, item[inside])

    among = scratch.by_rows((len(clicked), items_LD.shape[1]), lambda some: items_LD[clicked[some]])
    if device.type != "cpu" or len(queries_TD) * len(among) < LARGE:
        near_TK = nearest(queries_TD, among, left_out, NEAREST, device, scratch)
    else:
        near_TK = nearest_in_clusters(
            queries_TD, among, left_out, NEAREST, device, np.random.default_rng(seed), scratch
        )
    for some in pieces(len(near_TK)):
        near_TK[some] = np.where(near_TK[some] >= 0, clicked[near_TK[some]], -1)
    give_back()
    return near_TK
