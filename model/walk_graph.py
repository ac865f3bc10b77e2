"""Walks over the relations of the graph, whose visits are kept there as relations of their own."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from recsys.core.errors import DataError, UsageError
from recsys.core.progress import progress
from recsys.graph.client import Graph
from recsys.graph.derived import begin_generation, drop_older, write_weighted
from recsys.graph.names import WALKED
from recsys.graph.pages import count_rows, edge_pages
from recsys.graph.relations import Relation, list_relations
from recsys.model.walk import Bipartite, Rows, walk


class NothingToWalkError(DataError):
    """The graph has no relation between queries or items and anchors."""

    def __init__(self) -> None:
        super().__init__(
            "the graph has no relation from queries or items to anchors to walk on; run `recsys ingest links PATH`"
        )


class NotWalkableError(UsageError):
    """A relation that was asked for does not lead from queries or items to anchors."""

    def __init__(self, names: Sequence[str], known: Sequence[str]) -> None:
        self.names = tuple(names)
        super().__init__(
            f"cannot walk on {', '.join(map(repr, names))}; name relations of link tables (here: {', '.join(known)}), "
            "which `recsys graph relations` lists"
        )


@dataclass(frozen=True)
class Walked:
    """What walks over one relation gave.

    Attributes:
        relation: Relation that was walked.
        source: Label of the nodes that walks began at.
        nodes: How many of them have an anchor that is not a hub.
        hubs: Anchors that were left out.
        raw_edges: Edges that were walked on.
        edges: Edges that the walked relation has now; 0 in a dry run.
        removed: Edges of earlier walks that no longer hold.
        seconds: Of reading, walking and writing.
    """

    relation: str
    source: str
    nodes: int
    hubs: int
    raw_edges: int
    edges: int
    removed: int
    seconds: float


def walkable(graph: Graph, names: Sequence[str] = ()) -> list[Relation]:
    """Return the relations between queries or items and anchors.

    Args:
        graph: Where to look.
        names: Only these; none means all.

    Raises:
        NothingToWalkError: There are none.
        NotWalkableError: One of ``names`` is not among them.
    """
    found = [r for r in list_relations(graph) if r.origin == "ingested" and r.source != "Anchor"]
    if not found:
        raise NothingToWalkError
    known = sorted({relation.name for relation in found})
    if missing := sorted(set(names) - set(known)):
        raise NotWalkableError(missing, known)
    return [relation for relation in found if not names or relation.name in names]


def walk_relation(
    graph: Graph, relation: Relation, *, seed: int, chunk_rows: int, dry_run: bool, say: Callable[[str], None]
) -> Walked:
    """Walk from every node of ``relation`` and keep the anchors visited most as ``<NAME>_WALKED``, with their visits.

    Broken off at any moment it leaves new edges beside old ones, each pair at most once; the same call ends in the
    same edges as if nothing had happened.

    Args:
        graph: With links.
        relation: One of :func:`walkable`.
        seed: Of the walks; the same graph and seed give the same visits.
        chunk_rows: Edges per transaction.
        dry_run: Read, and neither walk nor write.
        say: Called with a line about what is going on.
    """
    started = time.monotonic()
    say(f"reading {relation.name} from {relation.source}")
    edges = _read(graph, relation)
    starts = edges.linked
    written = removed = 0
    if not dry_run:
        written, removed = _write(graph, relation, edges, starts, seed, chunk_rows)
    return Walked(
        relation=relation.name,
        source=relation.source,
        nodes=len(starts),
        hubs=edges.hubs,
        raw_edges=len(edges.anchor_E),
        edges=written,
        removed=removed,
        seconds=time.monotonic() - started,
    )


def _read(graph: Graph, relation: Relation) -> Bipartite:
    """Read the edges; nodes that come while it reads stay out."""
    nodes, anchors = count_rows(graph, relation.source), count_rows(graph, relation.target)
    pages = list(edge_pages(graph, relation.name, relation.source, relation.target, nodes))
    none = np.empty(0, dtype=np.int64)
    source = np.concatenate([none, *(page.source for page in pages)])
    target = np.concatenate([none, *(page.target for page in pages)])
    known = target < anchors
    return Bipartite.from_edges(source[known], target[known], nodes, anchors)


def _write(
    graph: Graph, relation: Relation, edges: Bipartite, starts: Rows, seed: int, chunk_rows: int
) -> tuple[int, int]:
    """Return edges written and removed."""
    walked = Relation(relation.name + WALKED, relation.source, relation.target, "derived")
    generation = begin_generation(graph, walked)
    written = 0
    for found in progress(walk(edges, starts, seed), f"walking {relation.name}", unit="block"):
        written += len(found.visits_V)
        for first in range(0, len(found.visits_V), chunk_rows):
            part = slice(first, first + chunk_rows)
            ends = found.start_V[part], found.anchor_V[part]
            write_weighted(graph, walked, generation, *ends, found.visits_V[part], "visits")
    return written, drop_older(graph, walked, generation, len(edges.first_N) - 1)
