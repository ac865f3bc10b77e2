"""Which folders are followed into this graph."""

from __future__ import annotations

from recsys.graph.client import Graph


def follow_id(graph: Graph, folder: str) -> str:
    """Return what a follower's notes about ``folder`` are kept under: another id in another, or an emptied, graph."""
    graph.write("MERGE (f:Follow {folder: $folder}) ON CREATE SET f.id = randomUUID()", folder=folder)
    return str(graph.read("MATCH (f:Follow {folder: $folder}) RETURN min(f.id) AS id", folder=folder)[0]["id"])
