"""``recsys graph sample`` on a small graph made by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from recsys.graph.client import Graph
from recsys.graph.server import Server

Recsys = Callable[..., Any]

pytestmark = pytest.mark.usefixtures("opened")


@pytest.fixture
def opened(clicked_graph: Graph, neo4j_server: Server, monkeypatch: pytest.MonkeyPatch) -> Graph:
    """The graph that the command line uses, with nobody held out."""
    monkeypatch.setenv("RECSYS_NEO4J__URI", neo4j_server.uri)
    monkeypatch.setenv("RECSYS_NEO4J__PASSWORD", neo4j_server.password)
    monkeypatch.setenv("RECSYS_TRAIN__VALIDATION_SHARE", "0")
    return clicked_graph


def test_draws_are_edges_of_the_graph(recsys: Recsys):
    """Query q1 clicked i1 and i2; i1 was also clicked by q2 and q3, i2 by nobody else; i1 has three tags, i2 one."""
    found = recsys("graph", "sample", "q1", "-n", "40", "--json").json()
    assert (found["query"]["text"], found["held_out"], len(found["draws"])) == ("red", False, 40)
    neighbours = {"i1": {"q2", "q3"}, "i2": {None}}
    tags = {"i1": {"a1", "a2", "a3"}, "i2": {"a1"}}
    seen: dict[str, set[Any]] = {"i1": set(), "i2": set()}
    for draw in found["draws"]:
        item, neighbour = draw["item"]["id"], draw["neighbour"]
        seen[item].add(neighbour["id"] if neighbour else None)
        anchors = {(a["relation"], a["side"]): a["node"]["id"] for a in draw["anchors"]}
        assert anchors["HAS_TAG", "query"] == "a1"
        assert anchors["HAS_TAG", "item"] in tags[item]
        assert anchors["SAME_SESSION", "query"] == "q2"
    assert seen == neighbours


def test_the_seed_decides(recsys: Recsys):
    """The same seed draws the same, another one does not, and a single draw is one line per node."""
    first = recsys("graph", "sample", "q1", "--seed", "1").out
    assert recsys("graph", "sample", "q1", "--seed", "1").out == first
    assert recsys("graph", "sample", "q1", "--seed", "2").out != first
    lines = recsys("graph", "sample", "q3", "-n", "1", "--seed", "0").out.splitlines()
    assert lines[0] == "q3  oak table"
    assert lines[1].startswith("1. item i")
    assert not any(line.startswith("2.") for line in lines)


def test_only_queries_with_clicks_can_be_asked_for(recsys: Recsys, opened: Graph):
    """An unknown id or text, a query without clicks, and both or neither are refused with what to do."""
    opened.write("MATCH (:Query {id: 'both'})-[c:CLICKED]->() DELETE c")
    for arguments, said in ((["x"], "no query of the id 'x'"), (["both"], "nothing was clicked for the query 'both'")):
        refused = recsys("graph", "sample", *arguments)
        assert (refused.code, refused.out) == (1, "")
        assert said in refused.err
    assert "no query of the text 'green'" in recsys("graph", "sample", "--text", "green").err
    assert recsys("graph", "sample").code == 2
