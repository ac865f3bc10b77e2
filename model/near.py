"""Neighbours of a batch: all edges of most rows, of hubs a sample, and masks that know every edge all the same.

A hub's edges are read whole too where they are kept on disk for later epochs, and sampled here; a hub that is not kept
would cross the wire with every batch that holds it, so that the server samples, and is asked for each mask.

Shape letters: N rows, M columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.graph.client import Graph
from recsys.graph.hubs import PRIME, edges_between, find_hubs, lowest_hashed, sampled_neighbours
from recsys.graph.pages import Edges, Kind, joined, neighbours, sorted_edges
from recsys.graph.schema import Label
from recsys.model.draw import Mask, known
from recsys.model.page_cache import PageCache
from recsys.model.snapshot import Snapshot

Rows = npt.NDArray[np.int64]

SIDES: tuple[Label, Label] = ("Query", "Item")
WHOLE = 100_000
"A hub of more edges is never read whole."
_OF_SAMPLES = 1
"Sets the salts apart from the draws of batches, which come from the same seed."


@dataclass(frozen=True)
class Near:
    """Edges that leave the rows of a batch.

    Attributes:
        graph: Where they were read.
        label: Of the rows.
        edges: By kind, in order of source and target; of hubs a sample.
        read: The same, and all edges of hubs that were read whole.
        cut: By kind, rows that may have more edges than were read.
    """

    graph: Graph
    label: Label
    edges: Mapping[Kind, Edges]
    read: Mapping[Kind, Edges]
    cut: Mapping[Kind, Rows]

    def known(self, rows_N: Rows, drawn_M: Rows, *kinds: Kind) -> Mask:
        """Return the mask (N, M) that is True where ``drawn_M[j]`` is a neighbour of ``rows_N[i]`` by any of ``kinds``.

        It knows edges that were not read too: for hubs the graph is asked about these columns.
        """
        known_NM = np.zeros((len(rows_N), len(drawn_M)), dtype=bool)
        for kind in kinds:
            known_NM |= known(rows_N, drawn_M, self.read[kind])
            cut = np.intersect1d(self.cut[kind], rows_N).tolist() if self.cut else []
            if cut and len(drawn_M):
                edges = edges_between(self.graph, self.label, cut, kind, np.unique(drawn_M).tolist())
                known_NM |= known(rows_N, drawn_M, edges)
        return known_NM


class NeighbourReader:
    """Reads the edges that leave rows of queries or items.

    Args:
        graph: Where to read.
        snapshot: Of hubs, nodes with later rows are left out before they are sampled.
        cap: Of a row with more edges in one kind, that many are read, another sample in each epoch; None reads all.
        seed: Of the samples.
        pages: Holds what was read, hubs whole; None asks the graph each time.
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
        self._large: dict[Label, Rows] = {}
        if cap:
            self._hubs = {label: find_hubs(graph, label, snapshot.rows[label], cap) for label in SIDES}
        if cap and pages:
            self._large = {label: find_hubs(graph, label, snapshot.rows[label], max(cap, WHOLE)) for label in SIDES}
        self.start(0)

    def start(self, epoch: int) -> None:
        """Sample anew for ``epoch``."""
        self._salt = int(np.random.default_rng([self._seed, epoch, 0, _OF_SAMPLES]).integers(PRIME))

    def read(self, label: Label, rows: Rows, kinds: Sequence[Kind]) -> Near:
        """Return the edges of ``kinds`` that leave ``rows``."""
        asked = self._asked(label, rows, kinds)
        whole = self._whole(label, np.setdiff1d(rows, asked), kinds)
        edges = {kind: self._sample(whole[kind], kind) for kind in kinds}
        if not self._cap or not len(asked):
            return Near(self._graph, label, edges, whole, {})
        stops = self._snapshot.rows
        sampled = sampled_neighbours(self._graph, label, asked.tolist(), kinds, stops, self._cap, self._salt)
        cut = {kind: _with_edges(sampled[kind], self._cap) for kind in kinds}
        edges, whole = ({kind: _merged(some[kind], sampled[kind]) for kind in kinds} for some in (edges, whole))
        return Near(self._graph, label, edges, whole, cut)

    def _asked(self, label: Label, rows: Rows, kinds: Sequence[Kind]) -> Rows:
        """Return the hubs among ``rows`` that the server samples."""
        if not self._cap or not kinds:
            return rows[:0]
        hubs = np.intersect1d(rows, self._hubs[label])
        if not self._pages:
            return hubs
        return hubs[np.isin(hubs, self._large[label]) | ~self._pages.takes(label, hubs, kinds)]

    def _sample(self, edges: Edges, kind: Kind) -> Edges:
        return lowest_hashed(edges, self._snapshot.rows[kind[1]], self._cap, self._salt) if self._cap else edges

    def _whole(self, label: Label, rows: Rows, kinds: Sequence[Kind]) -> dict[Kind, Edges]:
        def fetch(some: Rows) -> dict[Kind, Edges]:
            return neighbours(self._graph, label, some.tolist(), kinds)

        return self._pages.read(label, rows, kinds, fetch) if self._pages and kinds else fetch(rows)


def _merged(one: Edges, other: Edges) -> Edges:
    return sorted_edges(vars(joined([one, other])))


def _with_edges(edges: Edges, cap: int) -> Rows:
    """Return the rows that have ``cap`` edges."""
    rows, count = np.unique(edges.source, return_counts=True)
    return rows[count >= cap]
