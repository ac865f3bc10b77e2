"""The click graph of a snapshot as parallel arrays, and the gold of held-out queries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from recsys.core.portions import portions
from recsys.core.progress import progress
from recsys.graph.client import Graph
from recsys.graph.pages import PAGE_ROWS
from recsys.graph.relations import Relation
from recsys.graph.schema import CLICKED
from recsys.model.scratch import MEMORY, Scratch, pieces
from recsys.model.snapshot import Snapshot, snapshot_edges

Rows = npt.NDArray[np.int64]

AT_ONCE = 1 << 18
"Pairs that are sorted at once."


@dataclass(frozen=True)
class Clicks:
    """Distinct clicked pairs, sorted by query and item row.

    Attributes:
        query: Query rows.
        item: Item rows.
        clicks: Clicks of each pair.
        n_queries: Rows of the snapshot's queries.
        n_items: Rows of the snapshot's items.
        scratch: Where arrays live that are made from these.
    """

    query: Rows
    item: Rows
    clicks: Rows
    n_queries: int
    n_items: int
    scratch: Scratch = MEMORY

    @cached_property
    def queries(self) -> Rows:
        """Rows of the queries that clicked something, ascending."""
        column, last = self.scratch.column(np.int64), -1
        for some in pieces(len(self.query)):
            rows = np.unique(self.query[some])
            column.append(rows[rows > last])
            last = rows[-1]
        return column.whole()

    def of_queries(self, keep: npt.NDArray[np.bool_]) -> Clicks:
        """Return the pairs of the query rows where ``keep`` is true."""
        return self.where(keep[self.query])

    def where(self, kept: npt.NDArray[np.bool_]) -> Clicks:
        """Return the pairs where ``kept`` is true."""
        sides = (self.query, self.item, self.clicks)
        parts = ([side[some][kept[some]] for side in sides] for some in pieces(len(kept)))
        return Clicks(*_columns(parts, self.scratch), self.n_queries, self.n_items, self.scratch)

    def by_item(self) -> Iterator[Rows]:
        """Yield places of pairs by item and query, all of some items at a time, about :data:`AT_ONCE` or one item's."""
        for first, end in portions(self.per_item()[1], AT_ONCE):
            place = np.flatnonzero((self.item >= first) & (self.item < end))
            yield place[np.argsort(self.item[place], kind="stable")]

    def numbered(self) -> Clicks:
        """Return the same pairs with every query numbered by its place among :attr:`queries`."""
        query = self.scratch.column(np.int64)
        for some in pieces(len(self.query)):
            query.append(np.searchsorted(self.queries, self.query[some]))
        return replace(self, query=query.whole(), n_queries=len(self.queries))

    def per_item(self) -> tuple[Rows, Rows]:
        """Return total clicks and distinct clicking queries of every item row."""
        return _totals(self.item, self.clicks, self.n_items)

    def per_query(self) -> tuple[Rows, Rows]:
        """Return total clicks and distinct clicked items of every query row."""
        return _totals(self.query, self.clicks, self.n_queries)


def read_clicks(graph: Graph, snapshot: Snapshot, scratch: Scratch = MEMORY) -> Clicks:
    """Read every clicked pair of the snapshot in packed pages."""
    n_queries, n_items = snapshot.rows["Query"], snapshot.rows["Item"]
    pages = snapshot_edges(graph, snapshot, Relation(CLICKED, "Query", "Item"))
    pages = progress(pages, "clicks", total=-(-n_queries // PAGE_ROWS), unit="page")
    parts = ((edges.source, edges.target, edges.clicks) for edges in pages)
    return Clicks(*_columns(parts, scratch), n_queries, n_items, scratch)


def _columns(parts: Iterable[Sequence[Rows]], scratch: Scratch) -> tuple[Rows, Rows, Rows]:
    """Return query rows, item rows and clicks of all ``parts``."""
    query, item, clicks = (scratch.column(np.int64) for _ in range(3))
    for part in parts:
        for column, numbers in zip((query, item, clicks), part, strict=True):
            column.append(numbers)
    return query.whole(), item.whole(), clicks.whole()


def _totals(rows: Rows, clicks: Rows, n: int) -> tuple[Rows, Rows]:
    total, degree = np.zeros(n, np.int64), np.zeros(n, np.int64)
    for some in pieces(len(rows)):
        row, place, count = np.unique(rows[some], return_inverse=True, return_counts=True)
        total[row] += np.bincount(place, weights=clicks[some]).astype(np.int64)
        degree[row] += count
    return total, degree
