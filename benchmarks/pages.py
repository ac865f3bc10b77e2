"""Packed pages against one record per pair, on the same graph in one run.

Usage: python benchmarks/pages.py
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from recsys.core.settings import Neo4jSettings
from recsys.graph.client import Graph
from recsys.graph.pages import edge_pages, neighbours
from recsys.graph.schema import ensure_schema
from recsys.graph.server import start, stop

QUERIES, ITEMS, PAIRS, SCATTERED = 50_000, 20_000, 300_000, 5_000
SECONDS = 5


def fill(graph: Graph) -> None:
    """Write random clicks."""
    ensure_schema(graph)
    rng = np.random.default_rng(0)
    graph.write(f"UNWIND range(0, {QUERIES - 1}) AS r CREATE (:Query {{id: toString(r), row: r}})")
    graph.write(f"UNWIND range(0, {ITEMS - 1}) AS r CREATE (:Item {{id: toString(r), row: r}})")
    for _ in range(0, PAIRS, 50_000):
        pairs = rng.integers((0, 0), (QUERIES, ITEMS), (50_000, 2)).tolist()
        graph.write(
            "UNWIND $pairs AS p MATCH (q:Query {row: p[0]}) MATCH (i:Item {row: p[1]}) "
            "CREATE (q)-[:CLICKED {clicks: 1}]->(i)",
            pairs=pairs,
        )


def rate(read: Callable[[], int]) -> float:
    """Return the best pairs per second of the reads of :data:`SECONDS`; the first ones warm the server up."""
    rates = []
    end = time.perf_counter() + SECONDS
    while (began := time.perf_counter()) < end:
        rates.append(read() / (time.perf_counter() - began))
    return max(rates)


def main() -> None:
    """Print the rates and their ratio to one record per pair."""
    with tempfile.TemporaryDirectory() as directory:
        server = start(Path(directory), Neo4jSettings())
        try:
            with Graph(server.uri, server.user, server.password) as graph:
                fill(graph)
                report(graph)
        finally:
            stop(Path(directory))


def report(graph: Graph) -> None:
    """Measure and print."""
    rows = np.random.default_rng(1).choice(QUERIES, SCATTERED, replace=False).tolist()
    click = ("CLICKED", "Item")
    one = "MATCH (q:Query)-[c:CLICKED]->(i:Item) RETURN q.row, i.row, c.clicks"
    rates = {
        "one record per pair": rate(lambda: len(graph.read(one))),
        "packed pages": rate(
            lambda: sum(len(e.source) for e in edge_pages(graph, "CLICKED", "Query", "Item", QUERIES))
        ),
        "packed, scattered rows": rate(lambda: len(neighbours(graph, "Query", rows, [click])[click].source)),
    }
    for name, value in rates.items():
        print(f"{name:24} {value:12,.0f} pairs/s  {value / rates['one record per pair']:5.1f}x")


if __name__ == "__main__":
    main()
