"""``recsys ingest walk`` on a small graph made by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from recsys.graph.client import Graph
from recsys.graph.relations import Relation, register
from recsys.graph.server import Server

Recsys = Callable[..., Any]


@pytest.fixture
def opened(clicked_graph: Graph, neo4j_server: Server, monkeypatch: pytest.MonkeyPatch) -> Graph:
    """The graph that the command line uses."""
    monkeypatch.setenv("RECSYS_NEO4J__URI", neo4j_server.uri)
    monkeypatch.setenv("RECSYS_NEO4J__PASSWORD", neo4j_server.password)
    register(clicked_graph, [Relation("HAS_TAG", label, "Anchor") for label in ("Query", "Item")])
    return clicked_graph


def test_a_walk_shows_in_the_graph(recsys: Recsys, opened: Graph):
    """Both sides are walked, visits stand in the tree, most first, and a dry run writes nothing."""
    planned = recsys("ingest", "walk", "--dry-run", "--json").json()
    assert [(row["relation"], row["source"], row["edges"]) for row in planned] == [
        ("HAS_TAG", "Item", 0),
        ("HAS_TAG", "Query", 0),
    ]
    done = recsys("ingest", "walk", "--relation", "HAS_TAG", "--json").json()
    assert [row["nodes"] for row in done] == [3, 1]
    tree = recsys("graph", "show", "q1").out
    assert "→ HAS_TAG_WALKED: 1 anchor\n│  └─ a1  Shoes  400 visits\n" in tree
    lines = recsys("ingest", "walk").out.splitlines()
    assert lines[0].split()[:3] == ["relation", "source", "nodes"]
    assert len(lines) == 3


def test_an_unknown_relation_is_wrong_usage(recsys: Recsys, opened: Graph):
    """The error names the relations that can be walked on."""
    outcome = recsys("ingest", "walk", "--relation", "SAME_SESSION")
    assert outcome.code == 2
    assert "HAS_TAG" in outcome.err
