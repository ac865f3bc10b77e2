"""Pairs of queries and items that are found by query."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.graph.pages import Edges
from recsys.model.draw import Mask, known
from recsys.model.ranges import joined_ranges
from recsys.model.texts import Texts

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class PairsByQuery:
    """Distinct pairs, sorted by query and item row.

    Attributes:
        query: Query rows.
        item: Item rows.
        first: Where the pairs of each query row begin, and their number last.
    """

    query: Rows
    item: Rows
    first: Rows

    @classmethod
    def of(cls, query: Rows, item: Rows, n_queries: int) -> PairsByQuery:
        """Sort pairs; those that come twice count once."""
        pairs = np.unique(np.stack([query, item], axis=1), axis=0)
        return cls(pairs[:, 0], pairs[:, 1], np.searchsorted(pairs[:, 0], np.arange(n_queries + 1)))

    def edges_of(self, query_B: Rows) -> Edges:
        """Return the pairs of these queries, sorted by query and item."""
        rows = np.unique(query_B)
        taken = joined_ranges(self.first[rows], self.first[rows + 1] - self.first[rows])
        return Edges(self.query[taken], self.item[taken], np.ones(len(taken), np.int64))

    def holds(self, query_N: Rows, item_N: Rows) -> npt.NDArray[np.bool_]:
        """Say of each of these pairs whether it is here; shape (N,)."""
        wide = max(self.item.max(initial=0), item_N.max(initial=0)) + 1
        return np.isin(query_N * wide + item_N, self.query * wide + self.item)

    def known(self, query_B: Rows, item_M: Rows) -> Mask:
        """Return the mask (B, M) that is True where a query and an item are a pair."""
        return known(query_B, item_M, self.edges_of(query_B))


def rows_of_pairs(pairs: Iterable[tuple[str, str]], queries: Texts, items: Texts) -> tuple[Rows, Rows]:
    """Return query and item rows of (query id, item id) pairs; pairs of which the graph lacks an end are left out."""
    ids = (texts.ids().to_pylist() for texts in (queries, items))
    row_of_query, row_of_item = ({id_: row for row, id_ in enumerate(some)} for some in ids)
    found = [(row_of_query[q], row_of_item[i]) for q, i in pairs if q in row_of_query and i in row_of_item]
    both = np.array(found, np.int64).reshape(-1, 2)
    return both[:, 0], both[:, 1]
