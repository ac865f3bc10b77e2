"""Snapshots: what a run may see."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from recsys.graph.client import Graph
from recsys.graph.relations import Relation, register
from recsys.model.snapshot import NoClicksError, UnknownRelationError, take_snapshot


def test_a_snapshot_equals_the_graph(small: Graph, twin):
    """Rows, pairs, finished batches and relations are those of the graph; relations of anchors are not drawn from."""
    register(small, [Relation("BROADER", "Anchor", "Anchor")])
    snapshot = take_snapshot(small)
    assert snapshot.rows == {"Query": 60, "Item": 30, "Anchor": 12}
    assert snapshot.clicked_pairs == len(twin.clicks)
    assert snapshot.batches == ("b1",)
    assert {(r.name, r.source) for r in snapshot.relations} == set(twin.links)
    assert list(snapshot.relations) == sorted(snapshot.relations)


def test_a_snapshot_goes_into_json_and_tells_graphs_apart(small: Graph, grow: Callable[[Graph], None]):
    """The same graph gives the same JSON, a grown one another."""
    before = json.dumps(take_snapshot(small).as_json())
    assert json.dumps(take_snapshot(small).as_json()) == before
    grow(small)
    assert json.dumps(take_snapshot(small).as_json()) != before


def test_relations_can_be_chosen(small: Graph):
    """A chosen name brings both its sides; choosing none brings none."""
    assert [(r.name, r.source) for r in take_snapshot(small, ["CATEGORY"]).relations] == [
        ("CATEGORY", "Item"),
        ("CATEGORY", "Query"),
    ]
    assert take_snapshot(small, []).relations == ()


def test_an_unknown_relation_is_a_usage_error(small: Graph):
    """The error names what was asked for, what there is and what to do."""
    with pytest.raises(
        UnknownRelationError, match=r"no relation 'BRAND'.*known: CATEGORY, .*recsys ingest links"
    ) as error:
        take_snapshot(small, ["CATEGORY", "BRAND"])
    assert error.value.names == ("BRAND",)


def test_a_graph_without_clicks_is_refused(graph: Graph):
    """Nodes alone are nothing to learn from."""
    graph.write("CREATE (:Query {id: 'q', text: 'q', row: 0}), (:Item {id: 'i', text: 'i', row: 0})")
    with pytest.raises(NoClicksError, match="recsys ingest clicks"):
        take_snapshot(graph)
