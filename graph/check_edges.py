"""Checks of edges: clicks, nodes that stand alone, and the registry of relations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from recsys.graph.client import Graph
from recsys.graph.degrees import read_degrees
from recsys.graph.finding import Finding, found, match_none
from recsys.graph.relations import list_relations
from recsys.graph.schema import CLICKED, LABELS

_BY_HAND = "clicks were changed by other means than recsys: ingest again into an empty database"
_PAIR = "coalesce(q.id, elementId(q)) + ' → ' + coalesce(i.id, elementId(i))"


def check_clicked(graph: Graph) -> Iterator[Finding]:
    """A clicked pair is one relationship from a query to an item, with clicks from 1 up."""
    yield match_none(
        graph,
        "clicked pairs have clicks, 1 or more",
        [f"MATCH (q)-[c:{CLICKED}]->(i) WHERE NOT coalesce(c.clicks IS :: INTEGER NOT NULL AND c.clicks >= 1, false)"],
        f"{_PAIR} + ' has ' + coalesce(toString(c.clicks), 'none')",
        _BY_HAND,
    )
    yield match_none(
        graph,
        "clicked pairs are one relationship each, from a query to an item",
        [
            f"MATCH (q)-[:{CLICKED}]->(i) WHERE NOT (q:Query AND i:Item)",
            f"MATCH (q:Query) CALL (q) {{ MATCH (q)-[:{CLICKED}]->(i:Item) WITH i, count(*) AS edges WHERE edges > 1 "
            "RETURN i }",
        ],
        _PAIR,
        _BY_HAND,
    )


def check_lone(graph: Graph, *, unfinished: bool) -> Iterator[Finding]:
    """Anchors come with links and queries with clicks; items may come from an item table alone.

    Args:
        graph: Where to look.
        unfinished: A batch of clicks is not finished: its queries may still be without clicks.
    """
    yield match_none(
        graph,
        "every anchor has an edge",
        ["MATCH (a:Anchor) WHERE NOT EXISTS { (a)--() }"],
        "coalesce(a.id, elementId(a))",
        "finish the batches of links named below, or ingest the link table again into an empty database",
    )
    queries = match_none(
        graph,
        "every query has clicks",
        [f"MATCH (q:Query) WHERE NOT EXISTS {{ (q)-[:{CLICKED}]->() }}"],
        "coalesce(q.id, elementId(q))",
        _BY_HAND,
    )
    if queries.count and unfinished:
        queries = replace(queries, ok=True, note=f"{queries.count:,} without, which an unfinished batch may bring")
    yield queries


def check_registry(graph: Graph) -> Finding:
    """Every edge but clicks belongs to a registered relation, and every ingested relation has edges.

    A derived relation may have none: there was nothing to derive.
    """
    registered = {(r.name, r.source, r.target): r for r in list_relations(graph)}
    places = []
    present = set()
    for label in LABELS:
        for (name, target), degrees in read_degrees(graph, label).items():
            present.add((name, label, target))
            if name != CLICKED and (name, label, target) not in registered:
                places.append(f"{degrees.total:,} {name} from {label} to {target} are not registered")
    for key, relation in sorted(registered.items()):
        if key not in present and relation.origin == "ingested":
            places.append(f"{relation.name} from {relation.source} to {relation.target} has no edges")
    advice = "the sampler draws from registered relations alone: bring links in by `recsys ingest links`"
    return found("the registry names the relations that exist", places, advice)
