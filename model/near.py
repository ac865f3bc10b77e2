"""Neighbours of a batch: all edges of most rows, of hubs a sample, and masks that know every edge all the same.

Shape letters: N rows, M columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.graph.client import Graph
from recsys.graph.hubs import PRIME, edges_between, find_hubs, sampled_neighbours
from recsys.graph.pages import Edges, Kind, joined, neighbours, sorted_edges
from recsys.graph.schema import Label
from recsys.model.draw import Mask, known
from recsys.model.page_cache import PageCache
from recsys.model.snapshot import Snapshot

Rows = npt.NDArray[np.int64]

SIDES: tuple[Label, Label] = ("Query", "Item")
_OF_SAMPLES = 1
"Sets the salts apart from the draws of batches, which come from the same seed."


@dataclass(frozen=True)
class Near:
    """Edges that leave the rows of a batch.

    Attributes:
        graph: Where they were read.
        label: Of the rows.
        edges: By kind, in order of source and target.
        cap: Most edges that were read of one row and kind; None for all.
    """

    graph: Graph
    label: Label
    edges: Mapping[Kind, Edges]
    cap: int | None = None

    def known(self, rows_N: Rows, drawn_M: Rows, *kinds: Kind) -> Mask:
        """Return the mask (N, M) that is True where ``drawn_M[j]`` is a neighbour of ``rows_N[i]`` by any of ``kinds``.

        It knows edges that were not read too: for hubs the graph is asked about these columns.
        """
        known_NM = np.zeros((len(rows_N), len(drawn_M)), dtype=bool)
        for kind in kinds:
            known_NM |= known(rows_N, drawn_M, self.edges[kind])
            hubs = np.intersect1d(self._cut(kind), rows_N)
            if len(hubs) and len(drawn_M):
                columns = np.unique(drawn_M).tolist()
                edges = edges_between(self.graph, self.label, hubs.tolist(), kind, columns)
                known_NM |= known(rows_N, drawn_M, edges)
        return known_NM

    def _cut(self, kind: Kind) -> Rows:
        """Return the rows that may have more edges than were read."""
        rows, read = np.unique(self.edges[kind].source, return_counts=True)
        return rows[read >= self.cap] if self.cap else rows[:0]


class NeighbourReader:
    """Reads the edges that leave rows of queries or items.

    Args:
        graph: Where to read.
        snapshot: Of hubs, nodes with later rows are left out before they are sampled.
        cap: Of a row with more edges in one kind, that many are read, another sample in each epoch; None reads all.
        seed: Of the samples.
        pages: Holds what was read of rows that are not sampled; None asks the graph each time.
    """

    def __init__(
        self, graph: Graph, snapshot: Snapshot, cap: int | None = None, seed: int = 0, pages: PageCache | None = None
    ) -> None:
        self._graph = graph
        self._pages = pages
        self._snapshot = snapshot
        self._cap = cap
        self._seed = seed
        self._hubs: dict[Label, Rows] = {}
        if cap:
            self._hubs = {label: find_hubs(graph, label, snapshot.rows[label], cap) for label in SIDES}
        self.start(0)

    def start(self, epoch: int) -> None:
        """Sample anew for ``epoch``."""
        self._salt = int(np.random.default_rng([self._seed, epoch, 0, _OF_SAMPLES]).integers(PRIME))

    def read(self, label: Label, rows: Rows, kinds: Sequence[Kind]) -> Near:
        """Return the edges of ``kinds`` that leave ``rows``."""
        hub = np.isin(rows, self._hubs[label]) if self._cap else np.zeros(len(rows), dtype=bool)
        edges = self._whole(label, rows[~hub], kinds)
        if self._cap and kinds and hub.any():
            stops, few = self._snapshot.rows, np.unique(rows[hub]).tolist()
            sampled = sampled_neighbours(self._graph, label, few, kinds, stops, self._cap, self._salt)
            edges = {kind: sorted_edges(vars(joined([edges[kind], sampled[kind]]))) for kind in kinds}
        return Near(self._graph, label, edges, self._cap)

    def _whole(self, label: Label, rows: Rows, kinds: Sequence[Kind]) -> dict[Kind, Edges]:
        def fetch(some: Rows) -> dict[Kind, Edges]:
            return neighbours(self._graph, label, some.tolist(), kinds)

        return self._pages.read(label, rows, kinds, fetch) if self._pages and kinds else fetch(rows)
