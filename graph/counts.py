"""How much the graph holds, from Neo4j's count store: no node is visited."""

from __future__ import annotations

from dataclasses import dataclass

from recsys.graph.client import Graph
from recsys.graph.relations import list_relations
from recsys.graph.schema import CLICKED


@dataclass(frozen=True)
class GraphCounts:
    """What the graph holds.

    Attributes:
        queries: Query nodes.
        items: Item nodes.
        anchors: Anchor nodes.
        clicked_pairs: Distinct (query, item) pairs.
        relations: Name of each registered relation to its edges.
    """

    queries: int
    items: int
    anchors: int
    clicked_pairs: int
    relations: dict[str, int]


def count_graph(graph: Graph) -> GraphCounts:
    """Count nodes per label and edges per registered relation."""
    data = graph.read("CALL db.stats.retrieve('GRAPH COUNTS') YIELD data RETURN data")[0]["data"]
    nodes = {entry["label"]: entry["count"] for entry in data["nodes"] if "label" in entry}
    edges = {
        entry["relationshipType"]: entry["count"]
        for entry in data["relationships"]
        if "relationshipType" in entry and not {"startLabel", "endLabel"} & entry.keys()
    }
    return GraphCounts(
        queries=nodes.get("Query", 0),
        items=nodes.get("Item", 0),
        anchors=nodes.get("Anchor", 0),
        clicked_pairs=edges.get(CLICKED, 0),
        relations={relation.name: edges.get(relation.name, 0) for relation in list_relations(graph)},
    )
