"""A query, an item or an anchor with its nearest surroundings, and the ids that are like one that is unknown."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from recsys.core.errors import DataError
from recsys.core.text import query_id
from recsys.graph.client import Graph
from recsys.graph.schema import CLICKED, LABELS, Label

Direction = Literal["out", "in"]

SHOWN = 5
_NEAR = 100
"Ids looked at on either side of an unknown one, in the order of the index."


class NodeUnknownError(DataError):
    """No query, item or anchor has the id or text that was asked for."""

    def __init__(self, wanted: str, close: Sequence[str], *, by_text: bool) -> None:
        self.wanted = wanted
        self.close = tuple(close)
        known = f"; close to it: {', '.join(map(repr, close))}" if close else ""
        if by_text:
            what = f"no query has the text {wanted!r}"
            then = "`recsys graph show ID` takes an id, `recsys graph stats` says what there is"
        else:
            what = f"no query, item or anchor has the id {wanted!r}"
            then = "`recsys graph show --text TEXT` takes the text of a query, `recsys graph stats` says what there is"
        super().__init__(f"{what}{known}; {then}")


@dataclass(frozen=True)
class Neighbour:
    """A node at the other end of an edge.

    Attributes:
        id: Its id.
        text: Its text, if it has one.
        properties: Of the edge: clicks and last_at, sessions, visits, weight.
    """

    id: str
    text: str | None
    properties: dict[str, Any]


@dataclass(frozen=True)
class Branch:
    """The edges of one relation between a node and the nodes of one label.

    Attributes:
        relation: Relationship type.
        direction: out where the edges leave the node.
        label: Label of the other ends.
        edges: All of them.
        first: The first few: by clicks, sessions, visits or weight, most first, then by id.
    """

    relation: str
    direction: Direction
    label: Label
    edges: int
    first: tuple[Neighbour, ...]


@dataclass(frozen=True)
class Neighbourhood:
    """A node and its branches.

    Attributes:
        label: Its label.
        id: Its id.
        text: Its text, if it has one.
        clicks: Total clicks of a query or an item; 0 for an anchor.
        properties: All further properties, row among them, and of an item when it was first and last clicked.
        branches: CLICKED first, then by name.
    """

    label: Label
    id: str
    text: str | None
    clicks: int
    properties: dict[str, Any]
    branches: tuple[Branch, ...]


def by_id(graph: Graph, wanted: str, shown: int = SHOWN) -> list[Neighbourhood]:
    """Return the query, the item and the anchor of this id, as far as there are.

    Raises:
        NodeUnknownError: There is none of them.
    """
    found = [hood for label in LABELS for hood in _of_label(graph, label, wanted, shown)]
    if not found:
        raise NodeUnknownError(wanted, _close_ids(graph, wanted), by_text=False)
    return found


def by_text(graph: Graph, text: str, shown: int = SHOWN) -> list[Neighbourhood]:
    """Return the query whose id comes from ``text``, else the queries of their own ids that have exactly this text.

    Raises:
        NodeUnknownError: There is none.
    """
    found = _of_label(graph, "Query", query_id(text), shown)
    if not found:
        records = graph.read("MATCH (q:Query) WHERE q.text = $text RETURN q.id AS id ORDER BY id", text=text)
        found = [hood for record in records for hood in _of_label(graph, "Query", record["id"], shown)]
    if not found:
        raise NodeUnknownError(text, (), by_text=True)
    return found


def _of_label(graph: Graph, label: Label, wanted: str, shown: int) -> list[Neighbourhood]:
    records = graph.read(
        f"MATCH (n:{label} {{id: $id}}) CALL (n) {{ MATCH (n)-[c:{CLICKED}]-() RETURN sum(c.clicks) AS clicks }} "
        "RETURN n.text AS text, clicks, properties(n) AS properties",
        id=wanted,
    )
    return [
        Neighbourhood(
            label,
            wanted,
            record["text"],
            record["clicks"],
            {name: value for name, value in record["properties"].items() if name not in ("id", "text")},
            tuple(_branches(graph, label, wanted, shown)),
        )
        for record in records
    ]


def _branches(graph: Graph, label: Label, wanted: str, shown: int) -> list[Branch]:
    branches = []
    for direction, arrow in _ARROWS.items():
        records = graph.read(
            f"MATCH (n:{label} {{id: $id}}){arrow.format('r')}(m) WHERE labels(m)[0] IN $labels "
            "RETURN type(r) AS relation, labels(m)[0] AS label, count(*) AS edges",
            id=wanted,
            labels=LABELS,
        )
        for record in records:
            # What leads to a query or an item by other relations is what its neighbours draw, not what it draws.
            if direction == "out" or label == "Anchor" or record["relation"] == CLICKED:
                first = _first(graph, label, wanted, arrow, record["relation"], record["label"], shown)
                branches.append(Branch(record["relation"], direction, record["label"], record["edges"], first))
    return sorted(branches, key=lambda b: (b.relation != CLICKED, b.relation, b.direction, b.label))


_ARROWS: dict[Direction, str] = {"out": "-[{}]->", "in": "<-[{}]-"}


def _first(
    graph: Graph, label: Label, wanted: str, arrow: str, relation: str, other: Label, shown: int
) -> tuple[Neighbour, ...]:
    records = graph.read(
        f"MATCH (n:{label} {{id: $id}}){arrow.format('r:$($relation)')}(m:{other}) "
        "RETURN m.id AS id, m.text AS text, properties(r) AS properties "
        "ORDER BY coalesce(r.clicks, r.sessions, r.visits, r.weight, 0) DESC, id LIMIT $shown",
        id=wanted,
        relation=relation,
        shown=shown,
    )
    return tuple(Neighbour(**record.data()) for record in records)


def _close_ids(graph: Graph, wanted: str) -> list[str]:
    found: set[str] = set()
    for label in LABELS:
        for compared, order in ((">", ""), ("<", "DESC")):
            records = graph.read(
                f"MATCH (n:{label}) WHERE n.id {compared} $id WITH n.id AS id ORDER BY id {order} LIMIT $near "
                "RETURN collect(id) AS ids",
                id=wanted,
                near=_NEAR,
            )
            found.update(records[0]["ids"])
    return difflib.get_close_matches(wanted, sorted(found), n=3)
