"""Ingests real logs and link tables, and holds every derived and linked edge against pandas.

DATA has the folders ``wikispeedia`` (sessions, times) and ``mssee`` (links), each with Parquet files: clicks.train,
clicks.val and clicks.test with query_id, query_text and item_id; items with item_id and title; links with source,
relation and target; nodes with node_id and title.

Usage: python -m benchmarks.real DATA
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.commands import recsys
from benchmarks.real.found import CLICKED, CO_CLICKED, SAME_SESSION, differences, edges, expected_co_clicked
from benchmarks.real.links import link_edges
from benchmarks.real.sessions import same_session
from recsys.core.settings import Neo4jSettings
from recsys.graph.check import check_graph
from recsys.graph.client import Graph
from recsys.graph.server import start, stop

WINDOW_MINUTES = 30


def run(folder: Path, *arguments: str | Path) -> Any:
    """Run a command and return what it prints as JSON."""
    began = time.perf_counter()
    command = recsys(folder, *arguments, "--json")
    output, _ = command.communicate()
    if command.returncode:
        raise subprocess.CalledProcessError(command.returncode, [str(a) for a in arguments], output)
    print(f"{' '.join(map(str, arguments[:2])):22} {time.perf_counter() - began:7.1f} s", flush=True)
    return json.loads(output)


@contextmanager
def workspace() -> Iterator[tuple[Path, Graph]]:
    """Yield a folder with a managed Neo4j, and its graph."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = start(folder / ".recsys", Neo4jSettings())
        try:
            with Graph(server.uri, server.user, server.password) as graph:
                yield folder, graph
        finally:
            stop(folder / ".recsys")


def tell(what: str, found: pd.Series, expected: pd.Series) -> int:
    """Print how ``found`` and ``expected`` compare; return 1 where they differ."""
    lines = differences(found, expected)
    print(f"{what}: {len(found):,} in the graph, {len(expected):,} by pandas" + ("" if lines else ", all equal"))
    print(*lines, sep="\n", end="\n" * bool(lines), flush=True)
    return int(bool(lines))


def sessions(logs: list[Path]) -> int:
    """Compare ``SAME_SESSION`` and ``CO_CLICKED`` of a log; return how many of them differ."""
    clicks = pd.concat([pd.read_parquet(log) for log in logs])
    clicks["timestamp"] = pd.to_numeric(clicks["timestamp"])
    with workspace() as (folder, graph):
        summary = run(folder, "ingest", "clicks", *logs)
        print(f"rows: {summary['read']:,} read, {summary['kept']:,} kept; {summary['distinct']}")
        run(folder, "ingest", "relations")
        pairs = clicks.groupby(["query_id", "item_id"]).size().rename_axis(["source", "target"])
        off = tell("CLICKED", edges(graph, CLICKED, "clicks"), pairs)
        off += tell("SAME_SESSION", edges(graph, SAME_SESSION, "sessions"), same_session(clicks, WINDOW_MINUTES))
        expected = expected_co_clicked(graph)
        off += tell("CO_CLICKED", edges(graph, CO_CLICKED, "weight"), expected)
        return off + check(graph)


def links(data: Path) -> int:
    """Compare the edges of every relation of a link table; return how many tables differ."""
    logs = [data / f"clicks.{part}.parquet" for part in ("train", "val", "test")]
    clicks = pd.concat([pd.read_parquet(log, columns=["query_id", "item_id"]) for log in logs])
    items = set(pd.read_parquet(data / "items.parquet")["item_id"]) | set(clicks["item_id"])
    expected = link_edges(pd.read_parquet(data / "links.parquet"), set(clicks["query_id"]), items)
    with workspace() as (folder, graph):
        run(folder, "ingest", "items", data / "items.parquet")
        run(folder, "ingest", "clicks", *logs)
        summary = run(folder, "ingest", "links", data / "links.parquet", "--nodes", data / "nodes.parquet")
        print(f"rows: {summary['read']:,} read, {summary['kept']:,} kept; {summary['distinct']}")
        records = graph.read(
            "MATCH (n)-[r]->(:Anchor) RETURN type(r) AS relation, labels(n)[0] AS label, count(r) AS edges"
        )
        found = pd.Series({(r["relation"], r["label"]): r["edges"] for r in records}).sort_index()
        off = tell("links, relations by source label", found, expected)
        print(expected.unstack(fill_value=0).to_string())
        return off + check(graph)


def check(graph: Graph) -> int:
    """Print what ``recsys graph check`` finds; return how many findings are not well."""
    bad = [finding for finding in check_graph(graph) if not finding.ok]
    print("graph check:", bad or "clean", flush=True)
    return len(bad)


def main() -> int:
    """Compare both; return how much differs."""
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    data = Path(sys.argv[1]).resolve()
    logs = [data / "wikispeedia" / f"clicks.{part}.parquet" for part in ("train", "val", "test")]
    return sessions(logs) + links(data / "mssee")


if __name__ == "__main__":
    raise SystemExit(main())
