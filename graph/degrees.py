"""Degrees per relation, counted in the database: what crosses the wire is a histogram, never an edge."""

from __future__ import annotations

from dataclasses import dataclass

from recsys.graph.client import Graph
from recsys.graph.histogram import Histogram
from recsys.graph.pages import Kind
from recsys.graph.relations import list_relations
from recsys.graph.schema import CLICKED, LABELS, Label


@dataclass(frozen=True)
class RelationDegrees:
    """How far one relation reaches from the nodes of one label.

    Attributes:
        name: Relationship type.
        source: Label of the nodes that draw.
        target: Label of the nodes that are drawn.
        origin: ingested or derived; clicks for CLICKED.
        edges: Edges between the two labels.
        median: Of the degrees of the source nodes that have any; nearest rank, 0 without edges.
        p99: The degree that 99 % of them do not exceed, likewise.
        max: The highest degree.
        reached: Source nodes that have any.
        share: They in percent of all nodes of the label.
    """

    name: str
    source: Label
    target: Label
    origin: str
    edges: int
    median: int
    p99: int
    max: int
    reached: int
    share: float


def read_degrees(graph: Graph, label: Label) -> dict[Kind, Histogram]:
    """Return the out-degrees of the ``label`` nodes that have any, per relationship type and label it leads to.

    The degrees of one node at a time are counted, so that memory stays flat however many edges there are.
    """
    records = graph.read(
        f"MATCH (s:{label}) CALL (s) {{ "
        "MATCH (s)-[r]->(t) RETURN type(r) AS name, labels(t)[0] AS target, count(*) AS degree } "
        "WITH name, target, degree, count(*) AS nodes "
        "RETURN name, target, collect(degree) AS degrees, collect(nodes) AS nodes"
    )
    return {
        (record["name"], record["target"]): Histogram(dict(zip(record["degrees"], record["nodes"], strict=True)))
        for record in records
    }


def relation_degrees(graph: Graph) -> list[RelationDegrees]:
    """Return CLICKED from both of its ends, then every relation of the registry in its order."""
    registry = list_relations(graph)
    labels: set[Label] = {"Query", *(relation.source for relation in registry)}
    degrees = {label: read_degrees(graph, label) for label in labels}
    nodes = {label: count_nodes(graph, label) for label in LABELS}
    none = Histogram({})
    shown: list[tuple[str, Label, Label, str, Histogram]] = [
        (CLICKED, "Query", "Item", "clicks", degrees["Query"].get((CLICKED, "Item"), none)),
        (CLICKED, "Item", "Query", "clicks", _clicking_queries(graph)),
    ]
    shown += [(r.name, r.source, r.target, r.origin, degrees[r.source].get((r.name, r.target), none)) for r in registry]
    return [
        RelationDegrees(
            name=name,
            source=source,
            target=target,
            origin=origin,
            edges=found.total,
            median=found.percentile(50),
            p99=found.percentile(99),
            max=max(found.nodes, default=0),
            reached=found.count,
            share=100 * found.count / max(nodes[source], 1),
        )
        for name, source, target, origin, found in shown
    ]


def count_nodes(graph: Graph, label: Label) -> int:
    """Return the number of ``label`` nodes, from the count store."""
    return int(graph.read(f"MATCH (n:{label}) RETURN count(n) AS nodes")[0]["nodes"])


def _clicking_queries(graph: Graph) -> Histogram:
    records = graph.read(
        f"MATCH (i:Item) WITH COUNT {{ (i)<-[:{CLICKED}]-() }} AS degree WHERE degree > 0 "
        "RETURN degree, count(*) AS nodes"
    )
    return Histogram({record["degree"]: record["nodes"] for record in records})
