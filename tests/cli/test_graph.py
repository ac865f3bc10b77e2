"""``recsys graph`` on a small graph made by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from recsys.graph.client import Graph
from recsys.graph.server import Server

Recsys = Callable[..., Any]


@pytest.fixture
def opened(clicked_graph: Graph, neo4j_server: Server, monkeypatch: pytest.MonkeyPatch) -> Graph:
    """The graph that the command line uses."""
    monkeypatch.setenv("RECSYS_NEO4J__URI", neo4j_server.uri)
    monkeypatch.setenv("RECSYS_NEO4J__PASSWORD", neo4j_server.password)
    return clicked_graph


def test_relations(recsys: Recsys, opened: Graph):
    """A line per relation and label, and the same figures as JSON."""
    lines = recsys("graph", "relations").out.splitlines()
    assert lines[0].split() == [
        "relation",
        "source",
        "target",
        "origin",
        "edges",
        "median",
        "p99",
        "max",
        "reached",
        "share",
        "%",
    ]
    assert lines[3].split() == ["HAS_TAG", "Item", "Anchor", "ingested", "5", "1", "3", "3", "3", "60.00"]
    assert recsys("graph", "relations", "--json").json()[2] == {
        "name": "HAS_TAG",
        "source": "Item",
        "target": "Anchor",
        "origin": "ingested",
        "edges": 5,
        "median": 1,
        "p99": 3,
        "max": 3,
        "reached": 3,
        "share": 60.0,
    }


def test_stats(recsys: Recsys, opened: Graph):
    """Times are readable, and a count of rows that is off is pointed at."""
    opened.write("MATCH (c:RowCounter {label: 'Item'}) SET c.next = 6")
    said = recsys("graph", "stats").out
    assert "queries                     4, 0 without text\n" in said
    assert "5, 1 without text, but 6 rows: see `recsys graph check`" in said
    assert "2023-11-14 22:13:20 UTC to 2023-11-15 22:13:20 UTC" in said
    assert "clicks on top 1 % of items  50.0 %" in said
    assert "1 of clicks\n" in said
    assert recsys("graph", "stats", "--json").json()["clicks"]["clicks"] == 20


def test_show_is_a_tree(recsys: Recsys, opened: Graph):
    """Texts and clicks stand beside the ids, and what is not shown is counted."""
    assert recsys("graph", "show", "i1", "-n", "2").out.splitlines() == [
        "Item i1  Red shoe  10 clicks, first seen 2023-07-22, last seen 2023-11-14",
        "├─ ← CLICKED: 3 queries",
        "│  ├─ q1  red  6 clicks",
        "│  ├─ q2  blue  3 clicks",
        "│  └─ … 1 more",
        "└─ → HAS_TAG: 3 anchors",
        "   ├─ a1  Shoes",
        "   ├─ a2",
        "   └─ … 1 more",
    ]
    assert "└─ → SAME_SESSION: 1 query\n   └─ q2  blue  2 sessions\n" in recsys("graph", "show", "q1").out
    both = recsys("graph", "show", "both").out
    assert "Query both  lamp  5 clicks" in both
    assert "Item both  Lamp  5 clicks" in both
    assert recsys("graph", "show", "--text", "oak table", "--json").json()[0]["id"] == "q3"


def test_show_needs_one_thing_that_exists(recsys: Recsys, opened: Graph):
    """Neither or both is wrong use; an unknown id is the data's, with the next command."""
    assert recsys("graph", "show").code == 2
    assert recsys("graph", "show", "q1", "--text", "red").code == 2
    unknown = recsys("graph", "show", "q11")
    assert (unknown.code, unknown.out) == (1, "")
    assert "no query, item or anchor has the id 'q11'; close to it: 'q1'" in unknown.err


def test_check_ends_with_1_where_something_fails(recsys: Recsys, opened: Graph):
    """Every check has a line; a failure has its count, examples and what to do."""
    good = recsys("graph", "check")
    assert good.code == 0
    assert all(line.startswith("ok    ") for line in good.out.splitlines())
    opened.write("MATCH (i:Item {id: 'i5'}) DELETE i")
    bad = recsys("graph", "check")
    assert bad.code == 1
    assert len(bad.out.splitlines()) == len(good.out.splitlines())
    (line,) = [line for line in bad.out.splitlines() if line.startswith("fail  ")]
    assert "up to the counter (5): 1 wrong: row 4 has 0 nodes → nodes were changed" in line
    as_json = recsys("graph", "check", "--json")
    assert as_json.code == 1
    assert [finding["count"] for finding in as_json.json() if not finding["ok"]] == [1]
