"""Random walks with restart from nodes over their anchors (RAMEN, arXiv 2402.18434, section 3).

Shape letters: N nodes, M anchors, E edges, S walks of a block, H hops, V distinct visits of a block.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]

HOPS = 400
RESTART = 0.8
TOP = 10
MAX_DEGREE = 500
_BLOCK = 8192


@dataclass(frozen=True)
class Bipartite:
    """Edges between nodes and anchors, packed both ways.

    Attributes:
        first_N: Where each node's anchors begin in ``anchor_E``; one more entry ends the last.
        anchor_E: Anchors, node after node.
        first_M: Where each anchor's nodes begin in ``node_E``, likewise.
        node_E: Nodes, anchor after anchor.
        hubs: Anchors that were left out.
    """

    first_N: Rows
    anchor_E: Rows
    first_M: Rows
    node_E: Rows
    hubs: int

    @classmethod
    def from_edges(cls, node: Rows, anchor: Rows, n_nodes: int, n_anchors: int, max_degree: int = MAX_DEGREE) -> Self:
        """Pack distinct edges; anchors with more than ``max_degree`` nodes are left out, with their edges."""
        degree_M = np.bincount(anchor, minlength=n_anchors)
        kept = degree_M[anchor] <= max_degree
        node, anchor = node[kept], anchor[kept]
        by_node, by_anchor = np.lexsort((anchor, node)), np.lexsort((node, anchor))
        return cls(
            first_N=np.searchsorted(node[by_node], np.arange(n_nodes + 1)),
            anchor_E=anchor[by_node],
            first_M=np.searchsorted(anchor[by_anchor], np.arange(n_anchors + 1)),
            node_E=node[by_anchor],
            hubs=int((degree_M > max_degree).sum()),
        )

    @property
    def linked(self) -> Rows:
        """Nodes that have an anchor."""
        return np.flatnonzero(np.diff(self.first_N))


@dataclass(frozen=True)
class Visits:
    """Anchors that the walks of a block came by, walk after walk.

    Attributes:
        start_V: Node where the walk began.
        anchor_V: Anchor.
        visits_V: How often the walk came by, from 1 to the number of hops.
    """

    start_V: Rows
    anchor_V: Rows
    visits_V: Rows


def walk(
    edges: Bipartite, starts: Rows, seed: int, *, hops: int = HOPS, restart: float = RESTART, top: int = TOP
) -> Iterator[Visits]:
    """Walk once from each of ``starts`` and yield the anchors that were visited most, block by block.

    A hop goes from a node to one of its anchors, uniformly, which counts as a visit; then back to the start with
    probability ``restart``, or else on to one of the anchor's nodes, uniformly. RAMEN prints hops and restart; how many
    are kept and the cap on degrees are those of later code of its authors.

    Args:
        edges: What to walk on.
        starts: Nodes with at least one anchor.
        seed: Of all draws.
        hops: Visits of each walk, below 2¹⁶.
        restart: From 0 to 1.
        top: Anchors kept per walk; chance decides among equals.
    """
    for block, first in enumerate(range(0, len(starts), _BLOCK)):
        start_S = starts[first : first + _BLOCK]
        rng = np.random.default_rng([seed, block])
        yield _most_visited(start_S, _visited(edges, start_S, hops, restart, rng), top, rng)


def _visited(
    edges: Bipartite, start_S: Rows, hops: int, restart: float, rng: np.random.Generator
) -> npt.NDArray[np.int32]:
    """Return the anchor of every hop, shape (S, H)."""
    visited_HS = np.empty((hops, len(start_S)), dtype=np.int32)
    at_S = start_S
    for anchor_S in visited_HS:
        anchor_S[:] = _step(edges.first_N, edges.anchor_E, at_S, rng)
        on = np.flatnonzero(rng.random(len(start_S)) >= restart)
        at_S = start_S.copy()
        at_S[on] = _step(edges.first_M, edges.node_E, anchor_S[on], rng)
    return np.ascontiguousarray(visited_HS.T)


def _step(first: Rows, other_E: Rows, at: npt.NDArray[np.integer], rng: np.random.Generator) -> Rows:
    start = first[at]
    return np.asarray(other_E[start + (rng.random(len(at)) * (first[at + 1] - start)).astype(np.int64)])


def _most_visited(start_S: Rows, visited_SH: npt.NDArray[np.int32], top: int, rng: np.random.Generator) -> Visits:
    hops = visited_SH.shape[1]
    visited_SH.sort(axis=1)
    begins_SH = np.ones(visited_SH.shape, dtype=bool)
    begins_SH[:, 1:] = visited_SH[:, 1:] != visited_SH[:, :-1]
    begin_V = np.flatnonzero(begins_SH)
    visits_V = np.diff(begin_V, append=visited_SH.size)
    walk_V = begin_V // hops
    # One integer to sort by: walk, then visits downwards, then chance.
    chance_V = rng.integers(0, 1 << 32, len(begin_V))
    order = np.argsort((walk_V << 48) | ((hops - visits_V) << 32) | chance_V, kind="stable")
    place_V = np.arange(len(order)) - np.searchsorted(walk_V, np.arange(len(start_S)))[walk_V]
    order = order[place_V < top]
    return Visits(start_S[walk_V[order]], visited_SH.reshape(-1)[begin_V[order]].astype(np.int64), visits_V[order])
