"""Nodes with very many edges: a sample of them is read, drawn by a hash and never by the order of storage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from recsys.graph.client import Graph
from recsys.graph.pages import Edges, Kind, no_edges, sorted_edges
from recsys.graph.schema import Label

Rows = npt.NDArray[np.int64]

PRIME = 2**31 - 1
"Modulus of the hash: squares of what is below it fit the 64-bit integers of Cypher."
_OF_SOURCE, _OF_TARGET = 1_000_003, 69_621
"What the hash multiplies rows with."


def find_hubs(graph: Graph, label: Label, stop: int, cap: int) -> Rows:
    """Return the rows below ``stop`` that more than ``cap`` edges leave, of whatever kinds, ascending."""
    records = graph.read(
        f"MATCH (s:{label}) WHERE s.row < $stop AND COUNT {{ (s)-->() }} > $cap RETURN collect(s.row) AS rows",
        stop=stop,
        cap=cap,
    )
    return np.sort(np.asarray(records[0]["rows"], dtype=np.int64))


def sampled_neighbours(
    graph: Graph,
    source: Label,
    rows: Sequence[int],
    kinds: Sequence[Kind],
    stops: Mapping[str, int],
    cap: int,
    salt: int,
) -> dict[Kind, Edges]:
    """Return at most ``cap`` of the edges of each row and kind: those of lowest hash of (salt, source, target row).

    The server sorts them out, so that the others do not cross the wire.

    Args:
        graph: Where to read.
        source: Label of the nodes with these rows.
        rows: Distinct rows.
        kinds: Relationship types to follow, each with the label that it leads to.
        stops: Targets with rows from these on are left out before the cap, so that later nodes change no sample.
        cap: Most edges of one row and kind.
        salt: Another one is another sample; 0 to :data:`PRIME` (exclusive).

    Returns:
        For every one of ``kinds`` its edges in order of source and target row.
    """
    # a line through the rows is too regular a sample; squared twice modulo a prime it is none any more
    query = (
        f"UNWIND $rows AS row MATCH (s:{source} {{row: row}}) UNWIND $kinds AS kind "
        "CALL (s, kind) { MATCH (s)-[r:$(kind.relation)]->(t:$(kind.label)) WHERE t.row < kind.stop "
        f"WITH r, t, (s.row * {_OF_SOURCE} + t.row * {_OF_TARGET} + $salt) % {PRIME} AS hash "
        f"WITH r, t, (hash * hash + t.row) % {PRIME} AS hash "
        f"WITH r, t, (hash * hash + $salt) % {PRIME} AS hash "
        "RETURN t.row AS target, coalesce(r.clicks, r.sessions, 1) AS clicks ORDER BY hash, t.row LIMIT $cap } "
        "RETURN kind.relation AS relation, kind.label AS label, collect(s.row) AS source, collect(target) AS target, "
        "collect(clicks) AS clicks"
    )
    found = {kind: no_edges() for kind in kinds}
    asked = [{"relation": name, "label": label, "stop": stops[label]} for name, label in kinds]
    for record in graph.read(query, rows=list(rows), kinds=asked, cap=cap, salt=salt):
        found[record["relation"], record["label"]] = sorted_edges(record)
    return found


def lowest_hashed(edges: Edges, stop: int, cap: int, salt: int) -> Edges:
    """Return what :func:`sampled_neighbours` would have read of rows whose edges of one kind are all there.

    Args:
        edges: In order of source and target row.
        stop: Targets with rows from this on are left out.
        cap: Most edges of one row.
        salt: Of the sample.
    """
    inside = edges.where(edges.target < stop)
    _, first, count = np.unique(inside.source, return_index=True, return_counts=True)
    if count.max(initial=0) <= cap:
        return inside
    hash_E = (inside.source * _OF_SOURCE + inside.target * _OF_TARGET + salt) % PRIME
    hash_E = (hash_E * hash_E + inside.target) % PRIME
    hash_E = (hash_E * hash_E + salt) % PRIME
    order_E = np.lexsort((inside.target, hash_E, inside.source))
    rank_E = np.arange(len(order_E)) - np.repeat(first, count)
    kept_E = np.zeros(len(order_E), dtype=bool)
    kept_E[order_E[rank_E < cap]] = True
    return inside.where(kept_E)


def edges_between(graph: Graph, source: Label, rows: Sequence[int], kind: Kind, targets: Sequence[int]) -> Edges:
    """Return the edges of ``kind`` that lead from ``rows`` to ``targets``, however many others there are."""
    relation, label = kind
    records = graph.read(
        f"UNWIND $rows AS row MATCH (s:{source} {{row: row}}) UNWIND $targets AS to MATCH (t:{label} {{row: to}}) "
        "MATCH (s)-[r:$($relation)]->(t) "
        "RETURN collect(s.row) AS source, collect(t.row) AS target, collect(1) AS clicks",
        rows=list(rows),
        targets=list(targets),
        relation=relation,
    )
    return sorted_edges(records[0])
