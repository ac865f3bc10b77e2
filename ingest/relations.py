"""Derives relations that are of the whole graph, and not a sum over logs: ``CO_CLICKED``."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from recsys.core.errors import DataError
from recsys.core.progress import progress
from recsys.graph.client import Graph
from recsys.graph.derived import begin_generation, drop_older, write_weighted
from recsys.graph.pages import count_rows, edge_pages
from recsys.graph.relations import Relation
from recsys.graph.schema import CLICKED, Label
from recsys.ingest.co_clicked import contexts, nearest_items

CO_CLICKED = Relation("CO_CLICKED", "Item", "Item", "derived")


class NothingClickedError(DataError):
    """There are no clicks to derive from."""

    def __init__(self) -> None:
        super().__init__("the graph holds no clicks to derive relations from; run `recsys ingest clicks PATH` first")


@dataclass(frozen=True)
class Derived:
    """What a derivation wrote.

    Attributes:
        relation: Name of the relation.
        edges: Edges that it has now.
        items: Items with at least one.
        removed: Edges of earlier derivations that no longer hold.
        seconds: Of reading, computing and writing.
    """

    relation: str
    edges: int
    items: int
    removed: int
    seconds: float


def derive_co_clicked(graph: Graph, chunk_rows: int, say: Callable[[str], None]) -> Derived:
    """Join each item with those that share most of its queries and sessions, in place of earlier such edges.

    Broken off at any moment it leaves new edges beside old ones, each pair at most once; the same call ends in the
    same edges as if nothing had happened.

    Args:
        graph: With clicks and, where logs had sessions, ``SAME_SESSION``.
        chunk_rows: Edges per transaction.
        say: Called with a line about what is going on.

    Raises:
        NothingClickedError: The graph holds no clicks.
    """
    started = time.monotonic()
    queries, items = count_rows(graph, "Query"), count_rows(graph, "Item")
    say("reading the clicks")
    clicked_QI = _matrix(graph, CLICKED, "Item", queries, items)
    if not clicked_QI.nnz:
        raise NothingClickedError
    contexts_QI = contexts(clicked_QI, _matrix(graph, "SAME_SESSION", "Query", queries, queries))
    generation = begin_generation(graph, CO_CLICKED)
    edges = joined = 0
    for near, cosine in progress(nearest_items(contexts_QI), "joining items", unit="page"):
        edges += len(cosine)
        joined += len(np.unique(near.source))
        for start in range(0, len(cosine), chunk_rows):
            part = slice(start, start + chunk_rows)
            write_weighted(graph, CO_CLICKED, generation, near.source[part], near.target[part], cosine[part])
    removed = drop_older(graph, CO_CLICKED, generation, items)
    return Derived(CO_CLICKED.name, edges, joined, removed, time.monotonic() - started)


def _matrix(graph: Graph, relation: str, target: Label, rows: int, columns: int) -> csr_array:
    """Read the edges that leave queries; nodes that come while it reads stay out."""
    pages = list(edge_pages(graph, relation, "Query", target, rows))
    source, to, clicks = (
        np.concatenate([np.empty(0, np.int64), *(getattr(page, name) for page in pages)])
        for name in ("source", "target", "clicks")
    )
    known = to < columns
    return csr_array((clicks[known].astype(np.float64), (source[known], to[known])), shape=(rows, columns))
