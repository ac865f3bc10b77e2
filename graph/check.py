"""Checks of the whole graph: what every other part of recsys takes for granted."""

from __future__ import annotations

from collections.abc import Iterator

from recsys.graph.check_edges import check_clicked, check_lone, check_registry
from recsys.graph.check_ledger import check_batches, check_total, unfinished_clicks
from recsys.graph.check_nodes import check_constraints, check_ids, check_rows
from recsys.graph.client import Graph
from recsys.graph.finding import Finding
from recsys.graph.schema import LABELS


def check_graph(graph: Graph) -> Iterator[Finding]:
    """Yield the outcome of every check as it is known; nothing is changed.

    Checks read one after the other, so an ingest that writes meanwhile may look like damage.
    """
    yield check_constraints(graph)
    for label in LABELS:
        yield check_rows(graph, label)
    yield from check_ids(graph)
    yield from check_clicked(graph)
    yield from check_lone(graph, unfinished=unfinished_clicks(graph))
    yield check_registry(graph)
    yield check_batches(graph)
    yield check_total(graph)
