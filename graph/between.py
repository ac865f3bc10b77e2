"""What lies between a query and an item: short paths, read without walking through all edges of a hub."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from recsys.graph.client import Graph
from recsys.graph.names import unwalked
from recsys.graph.relations import list_relations
from recsys.graph.schema import CLICKED, Label

EDGES: Final = 5_000
"Edges of one node and kind that are looked at; of a hub with more, the first that the store has."
STARTS: Final = 500
"Of them, how many ends are followed one step further."


@dataclass(frozen=True)
class Clicker:
    """A query that clicked the item.

    Attributes:
        id: Of the query.
        text: Its text, or its id where it has none.
        clicks: All of them.
    """

    id: str
    text: str
    clicks: int


@dataclass(frozen=True)
class Shared:
    """An anchor that both are linked to.

    Attributes:
        id: Of the anchor.
        text: Its text, or its id where it has none.
        query_relation: From the query.
        item_relation: From the item.
        links: Links of the anchor in all; the fewer, the more it says.
    """

    id: str
    text: str
    query_relation: str
    item_relation: str
    links: int


@dataclass(frozen=True)
class Detour:
    """A node that the query leads to and that leads to the item.

    Attributes:
        id: A query of the same sessions, or an item that the query clicked.
        text: Its text, or its id where it has none.
        there: Sessions that both queries were in, or clicks of the query on that item.
        onwards: Clicks of that query on the item, or weight of ``CO_CLICKED`` between the items.
    """

    id: str
    text: str
    there: int
    onwards: float


def top_clickers(graph: Graph, item: str, limit: int) -> list[Clicker]:
    """Return the queries with the most clicks on ``item``, among its first :data:`EDGES`."""
    records = graph.read(
        f"MATCH (:Item {{id: $item}})<-[c:{CLICKED}]-(q:Query) WITH q, c.clicks AS clicks LIMIT $edges "
        "WITH q, clicks ORDER BY clicks DESC, q.id LIMIT $limit "
        "RETURN q.id AS id, coalesce(q.text, q.id) AS text, clicks",
        item=item,
        edges=EDGES,
        limit=limit,
    )
    return [Clicker(**record.data()) for record in records]


def clickers_among(graph: Graph, queries: Sequence[str], item: str) -> list[Clicker]:
    """Return those of ``queries`` that clicked ``item``, however many others did."""
    records = graph.read(
        f"UNWIND $queries AS id MATCH (q:Query {{id: id}}) MATCH (i:Item {{id: $item}}) MATCH (q)-[c:{CLICKED}]->(i) "
        "RETURN q.id AS id, coalesce(q.text, q.id) AS text, c.clicks AS clicks ORDER BY clicks DESC, id",
        queries=list(queries),
        item=item,
    )
    return [Clicker(**record.data()) for record in records]


def shared_anchors(graph: Graph, query: str, item: str, limit: int) -> list[Shared]:
    """Return the anchors that both are linked to, those with the fewest links first."""
    relations = [relation for relation in list_relations(graph) if relation.target == "Anchor"]
    ours = _anchors(graph, "Query", query, [r.name for r in relations if r.source == "Query"])
    theirs = _anchors(graph, "Item", item, [r.name for r in relations if r.source == "Item"])
    shared = [
        Shared(id_, ours[id_]["text"], ours[id_]["relation"], theirs[id_]["relation"], ours[id_]["links"])
        for id_ in ours.keys() & theirs.keys()
    ]
    return sorted(shared, key=lambda anchor: (anchor.links, anchor.id))[:limit]


def by_sessions(graph: Graph, query: str, item: str, limit: int) -> list[Detour]:
    """Return queries of the same sessions that clicked ``item``, those of the most sessions first."""
    records = graph.read(
        "MATCH (q:Query {id: $asked})-[s:SAME_SESSION]-(other:Query) WITH other, s.sessions AS sessions LIMIT $edges "
        "WITH other, max(sessions) AS there ORDER BY there DESC, other.id LIMIT $starts "
        f"MATCH (i:Item {{id: $item}}) MATCH (other)-[c:{CLICKED}]->(i) "
        "RETURN other.id AS id, coalesce(other.text, other.id) AS text, there, c.clicks AS onwards "
        "ORDER BY there DESC, onwards DESC, id LIMIT $limit",
        asked=query,
        item=item,
        edges=EDGES,
        starts=STARTS,
        limit=limit,
    )
    return [Detour(**record.data()) for record in records]


def by_co_clicks(graph: Graph, query: str, item: str, limit: int) -> list[Detour]:
    """Return items that the query clicked and that ``CO_CLICKED`` joins to ``item``, the nearest first."""
    records = graph.read(
        f"MATCH (q:Query {{id: $asked}})-[c:{CLICKED}]->(other:Item) WITH other, c.clicks AS there LIMIT $edges "
        "WITH other, there ORDER BY there DESC, other.id LIMIT $starts "
        "MATCH (i:Item {id: $item}) MATCH (other)-[r:CO_CLICKED]-(i) WHERE other <> i "
        "WITH other, there, max(r.weight) AS onwards "
        "RETURN other.id AS id, coalesce(other.text, other.id) AS text, there, onwards "
        "ORDER BY onwards DESC, there DESC, id LIMIT $limit",
        asked=query,
        item=item,
        edges=EDGES,
        starts=STARTS,
        limit=limit,
    )
    return [Detour(**record.data()) for record in records]


def _anchors(graph: Graph, label: Label, id_: str, relations: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return anchor id to text, relation (as it was linked, before any that were walked) and number of links."""
    if not relations:
        return {}
    records = graph.read(
        f"MATCH (:{label} {{id: $id}})-[r:$any($relations)]->(a:Anchor) WITH a, type(r) AS relation LIMIT $edges "
        "RETURN a.id AS id, coalesce(a.text, a.id) AS text, collect(relation) AS relations, COUNT { (a)--() } AS links",
        id=id_,
        relations=list(relations),
        edges=EDGES,
    )
    return {r["id"]: {**r.data(), "relation": min(r["relations"], key=_raw_first)} for r in records}


def _raw_first(relation: str) -> tuple[bool, str]:
    return relation != unwalked(relation), relation
