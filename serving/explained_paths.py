"""Paths in the graph that are no part of the score: sessions, shared anchors and items clicked together."""

from __future__ import annotations

from recsys.graph.between import by_co_clicks, by_sessions, shared_anchors
from recsys.graph.client import Graph
from recsys.graph.names import unwalked
from recsys.serving.explanation import Node, Reason, times


def paths_beside_the_score(graph: Graph, query_id: str, item_id: str, title: str, limit: int) -> list[Reason]:
    """Return at most ``limit`` reasons of each kind, none of which has a share.

    Args:
        graph: Where to read.
        query_id: A query of the graph; of any other there are none.
        item_id: An item, likewise.
        title: Text of the item.
        limit: Reasons of a kind.
    """
    return [
        *_sessions(graph, query_id, item_id, title, limit),
        *_anchors(graph, query_id, item_id, title, limit),
        *_co_clicks(graph, query_id, item_id, title, limit),
    ]


def _sessions(graph: Graph, query_id: str, item_id: str, title: str, limit: int) -> list[Reason]:
    reasons = []
    for found in by_sessions(graph, query_id, item_id, limit):
        path = (Node("query", found.id, found.text, "SAME_SESSION"), Node("item", item_id, title, "CLICKED"))
        says = (
            f"People also searched {found.text!r} in the same session ({times(found.there, 'session')}), which led to "
            f"{times(int(found.onwards), 'click')} on it."
        )
        reasons.append(Reason("session", None, says, path=path))
    return reasons


def _anchors(graph: Graph, query_id: str, item_id: str, title: str, limit: int) -> list[Reason]:
    reasons = []
    for found in shared_anchors(graph, query_id, item_id, limit):
        path = (
            Node("anchor", found.id, found.text, found.query_relation),
            Node("item", item_id, title, found.item_relation),
        )
        ours, theirs = unwalked(found.query_relation), unwalked(found.item_relation)
        relation = ours if ours == theirs else f"{ours} of the query, {theirs} of the item"
        reasons.append(Reason("anchor", None, f"Both are linked to {found.text!r} ({relation}).", path=path))
    return reasons


def _co_clicks(graph: Graph, query_id: str, item_id: str, title: str, limit: int) -> list[Reason]:
    reasons = []
    for found in by_co_clicks(graph, query_id, item_id, limit):
        path = (Node("item", found.id, found.text, "CLICKED"), Node("item", item_id, title, "CO_CLICKED"))
        says = (
            f"The query led to {times(found.there, 'click')} on {found.text!r}, which people click together with it "
            f"({found.onwards:.2f})."
        )
        reasons.append(Reason("co_click", None, says, path=path))
    return reasons
