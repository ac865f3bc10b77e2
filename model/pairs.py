"""Pairs of queries and items that are found by query."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

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
    """

    query: Rows
    item: Rows

    @classmethod
    def of(cls, query: Rows, item: Rows) -> PairsByQuery:
        """Sort pairs; those that come twice count once."""
        pairs = np.unique(np.stack([query, item], axis=1), axis=0)
        return cls(pairs[:, 0], pairs[:, 1])

    def edges_of(self, query_B: Rows) -> Edges:
        """Return the pairs of these queries, sorted by query and item."""
        rows = np.unique(query_B)
        first, end = (np.searchsorted(self.query, rows, side=side) for side in ("left", "right"))
        taken = joined_ranges(first, end - first)
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
    ends = list(zip(*pairs, strict=True)) or [(), ()]
    query, item = (_rows(texts, ids) for texts, ids in zip((queries, items), ends, strict=True))
    both = (query >= 0) & (item >= 0)
    return query[both], item[both]


def _rows(texts: Texts, ids: Sequence[str]) -> Rows:
    """Return the row of each id, −1 where there is none; page by page, so that memory does not grow with the graph."""
    asked = pa.array(ids, pa.string()).dictionary_encode()
    row_of = np.full(len(asked.dictionary), -1)
    start = 0
    for page in texts.ids().chunks:
        place = pc.index_in(page, value_set=asked.dictionary)
        row_of[place.drop_null().to_numpy()] = start + np.flatnonzero(place.is_valid().to_numpy(zero_copy_only=False))
        start += len(page)
    rows: Rows = row_of[asked.indices.to_numpy()]
    return rows
