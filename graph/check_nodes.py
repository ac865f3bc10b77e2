"""Checks of nodes: constraints, dense rows, ids."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from recsys.graph.client import Graph
from recsys.graph.finding import EXAMPLES, Finding, found, match_none
from recsys.graph.pages import PAGE_ROWS, Rows, count_rows
from recsys.graph.schema import LABELS, Label, missing_constraints

_BY_HAND = "nodes were changed by other means than recsys: ingest again into an empty database"
_WHOLE = "n.row IS :: INTEGER NOT NULL"


def check_constraints(graph: Graph) -> Finding:
    """Our uniqueness constraints exist; an empty database needs none yet."""
    empty = not graph.read("MATCH (n) RETURN 1 AS one LIMIT 1")
    missing = [] if empty else missing_constraints(graph)
    return found(
        "uniqueness constraints exist", missing, "any `recsys ingest` creates them, once ids and rows are unique"
    )


def check_rows(graph: Graph, label: Label) -> Finding:
    """The nodes of ``label`` have the rows from 0 to the counter, each once."""
    stop = count_rows(graph, label)
    outside = match_none(
        graph,
        f"rows of {label} are dense and unique up to the counter ({stop:,})",
        [f"MATCH (n:{label}) WHERE NOT coalesce({_WHOLE} AND n.row >= 0 AND n.row < {stop}, false)"],
        "coalesce(n.id, elementId(n)) + ' has ' + coalesce('row ' + toString(n.row), 'no row')",
        _BY_HAND,
    )
    count = outside.count
    examples: list[str] = []
    for start, nodes in _nodes_per_row(graph, label, stop):
        wrong = np.flatnonzero(nodes != 1)
        count += len(wrong)
        examples += [f"row {start + row} has {nodes[row]} nodes" for row in wrong[: EXAMPLES - len(examples)]]
    return replace(outside, count=count, examples=(*examples, *outside.examples)[:EXAMPLES], ok=not count)


def _nodes_per_row(graph: Graph, label: Label, stop: int) -> Iterator[tuple[int, Rows]]:
    query = f"MATCH (n:{label}) WHERE n.row >= $start AND n.row < $stop AND {_WHOLE} RETURN collect(n.row) AS rows"
    for start in range(0, stop, PAGE_ROWS):
        end = min(start + PAGE_ROWS, stop)
        rows = np.asarray(graph.read(query, start=start, stop=end)[0]["rows"], dtype=np.int64)
        yield start, np.bincount(rows - start, minlength=end - start)


def check_ids(graph: Graph) -> Iterator[Finding]:
    """Every node has an id, a string, that no other node of its label has."""
    yield match_none(
        graph,
        "ids are unique per label",
        [f"MATCH (n:{label}) WHERE n.id IS NOT NULL WITH n.id AS id, count(*) AS k WHERE k > 1" for label in LABELS],
        "toString(id) + ' names ' + toString(k) + ' nodes'",
        _BY_HAND,
    )
    yield match_none(
        graph,
        "every node has an id",
        [f"MATCH (n:{label}) WHERE NOT coalesce(n.id IS :: STRING NOT NULL, false)" for label in LABELS],
        "labels(n)[0] + ' of row ' + coalesce(toString(n.row), 'none')",
        _BY_HAND,
    )
