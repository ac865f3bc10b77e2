"""What the graph holds, as tables of pandas, and how it differs from what it should."""

from __future__ import annotations

import pandas as pd

from benchmarks.real.co_clicked import co_clicked
from recsys.graph.client import Graph
from recsys.graph.relations import Relation

CLICKED = Relation("CLICKED", "Query", "Item", "ingested")
SAME_SESSION = Relation("SAME_SESSION", "Query", "Query", "derived")
CO_CLICKED = Relation("CO_CLICKED", "Item", "Item", "derived")

_NODES_A_PAGE = 2_000


def edges(graph: Graph, relation: Relation, value: str) -> pd.Series:
    """Return the property ``value`` of the edges of ``relation`` by (source, target), as ids."""
    found = _pages(graph, relation.source, relation.name, f"c.{value} AS value", what="id")
    return found.set_index(["source", "target"])["value"].sort_index()


def expected_co_clicked(graph: Graph) -> pd.Series:
    """Return what ``CO_CLICKED`` should be by the clicks and sessions in the graph, as cosines by ids."""
    clicks = _pages(graph, "Query", "CLICKED", "c.clicks AS value")
    sessions = _pages(graph, "Query", "SAME_SESSION", "c.sessions AS value")
    cosines = co_clicked(
        clicks.rename(columns={"source": "query", "target": "item", "value": "clicks"}),
        sessions.rename(columns={"source": "query", "target": "mate", "value": "sessions"}),
    )
    records = graph.read("MATCH (n:Item) RETURN n.row AS row, n.id AS id")
    ids = {record["row"]: record["id"] for record in records}
    cosines.index = pd.MultiIndex.from_tuples([(ids[source], ids[target]) for source, target in cosines.index])
    return cosines.sort_index()


def differences(found: pd.Series, expected: pd.Series) -> list[str]:
    """Return up to a few lines about edges that only one has, or that differ."""
    both = pd.concat({"found": found, "expected": expected}, axis=1)
    off = both[~(both["found"] == both["expected"])]
    return [f"{len(off):,} of {len(both):,} edges differ", *off.head(5).to_string().splitlines()] if len(off) else []


def _pages(graph: Graph, label: str, relation: str, value: str, what: str = "row") -> pd.DataFrame:
    nodes = graph.read(f"MATCH (n:{label}) RETURN count(n) AS nodes")[0]["nodes"]
    pages = [
        graph.read(
            f"MATCH (n:{label}) WHERE n.row >= $start AND n.row < $stop MATCH (n)-[c:{relation}]->(m) "
            f"WITH n.{what} AS source, m.{what} AS target, {value} "
            "RETURN collect(source) AS source, collect(target) AS target, collect(value) AS value",
            start=start,
            stop=start + _NODES_A_PAGE,
        )[0].data()
        for start in range(0, nodes, _NODES_A_PAGE)
    ]
    return pd.concat([pd.DataFrame(page) for page in pages], ignore_index=True)
