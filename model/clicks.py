"""The click graph of a snapshot as parallel arrays, and the gold of held-out queries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.core.progress import progress
from recsys.graph.client import Graph
from recsys.graph.pages import PAGE_ROWS, edge_pages
from recsys.graph.schema import CLICKED
from recsys.model.snapshot import Snapshot

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Clicks:
    """Distinct clicked pairs, sorted by query and item row.

    Attributes:
        query: Query rows.
        item: Item rows.
        clicks: Clicks of each pair.
        n_queries: Rows of the snapshot's queries.
        n_items: Rows of the snapshot's items.
    """

    query: Rows
    item: Rows
    clicks: Rows
    n_queries: int
    n_items: int

    def of_queries(self, keep: npt.NDArray[np.bool_]) -> Clicks:
        """Return the pairs of the query rows where ``keep`` is true."""
        kept = keep[self.query]
        return Clicks(self.query[kept], self.item[kept], self.clicks[kept], self.n_queries, self.n_items)

    def per_item(self) -> tuple[Rows, Rows]:
        """Return total clicks and distinct clicking queries of every item row."""
        return _totals(self.item, self.clicks, self.n_items)

    def per_query(self) -> tuple[Rows, Rows]:
        """Return total clicks and distinct clicked items of every query row."""
        return _totals(self.query, self.clicks, self.n_queries)


def read_clicks(graph: Graph, snapshot: Snapshot) -> Clicks:
    """Read every clicked pair of the snapshot in packed pages."""
    n_queries, n_items = snapshot.rows["Query"], snapshot.rows["Item"]
    pages = edge_pages(graph, CLICKED, "Query", "Item", n_queries)
    edges = list(progress(pages, "clicks", total=-(-n_queries // PAGE_ROWS), unit="page"))
    query, item, clicks = (np.concatenate([getattr(e, n) for e in edges]) for n in ("source", "target", "clicks"))
    inside = item < n_items
    return Clicks(query[inside], item[inside], clicks[inside], n_queries, n_items)


def _totals(rows: Rows, clicks: Rows, n: int) -> tuple[Rows, Rows]:
    return np.bincount(rows, weights=clicks, minlength=n).astype(np.int64), np.bincount(rows, minlength=n)
