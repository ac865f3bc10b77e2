"""Reasons on the way: with the graph where it answers, and without, said so, where it does not."""

from __future__ import annotations

import pytest

from recsys.core.errors import ServiceError
from recsys.graph import write
from recsys.graph.client import Graph
from recsys.serving.at_hand import AGAIN_SECONDS, NOT_RUNNING, GraphAtHand


@pytest.fixture
def known(clicked_graph, serving, shop):
    """A served shop and a graph in which the run's first query led to clicks on the run's first item."""
    clicked_graph.write(write.QUERIES, ids=["query-0"], texts=[shop.run("a").queries().texts[0]])
    clicked_graph.write(write.ITEMS, ids=["item-0"], texts=["red red item 0"], first_seen=[None], last_seen=[None])
    clicked_graph.write(
        "MATCH (q:Query {id: 'query-0'}), (i:Item {id: 'item-0'}) CREATE (q)-[:CLICKED {clicks: 7}]->(i)"
    )
    from recsys.core.run import find_run

    return serving(find_run(shop.runs), graph=clicked_graph)


def test_explain_by_http_has_the_graphs_paths(known):
    """Reasons, shares that add up to the score, and the path that is in the graph, by text and by query id."""
    text = known.run.queries().texts[0]
    for asked in ({"text": text}, {"query_id": "query-0"}):
        found = known.http.get("/explain", params={**asked, "item": "item-0"}).json()
        assert (found["query_id"], found["graph"], found["linked"]) == ("query-0", True, True)
        (clicked,) = [reason for reason in found["reasons"] if reason["kind"] == "clicked"]
        assert "7 clicks" in clicked["says"]
        shares = [reason["share"] for reason in found["reasons"] if reason["share"] is not None]
        assert sum(shares) == pytest.approx(found["score"], abs=1e-4)
        hits = known.http.get("/recommend", params={**asked, "k": 40}).json()["results"][0]["hits"]
        assert found["score"] == pytest.approx(next(h["score"] for h in hits if h["id"] == "item-0"), abs=1e-4)


def test_the_page_says_why(known):
    """A result with a path in the graph has it among its reasons."""
    page = known.http.get("/", params={"q": known.run.queries().texts[0], "k": 40}).text
    assert "is like the query" in page
    assert "that the run itself knows" not in page


@pytest.mark.parametrize(
    ("question", "status"),
    [
        ("item=item-1", 400),
        ("item=item-1&text=red&query_id=query-1", 400),
        ("item=nothing&text=red", 404),
        ("item=item-1&query_id=nothing", 404),
        ("text=red", 422),
        ("item=item-1&text=red&n=0", 422),
    ],
)
def test_questions_for_reasons_that_make_no_sense(serving, question, status):
    """Each has the status of its kind."""
    assert serving().http.get(f"/explain?{question}").status_code == status


def test_without_a_graph_it_is_said(serving):
    """The run's own reasons are given, and the page says why there are no others."""
    served = serving()
    found = served.http.get("/explain", params={"text": "red lamp", "item": "item-3"})
    assert (found.status_code, found.json()["graph"]) == (200, False)
    page = served.http.get("/", params={"q": "red lamp"}).text
    assert NOT_RUNNING.partition(" (")[0] in page


def test_a_graph_that_does_not_answer_is_looked_for_again_after_a_while(graph, neo4j_server):
    """Nobody waits for it before, and nobody is told of an old trouble after."""
    at, tries = 0.0, []

    def open_graph():
        tries.append(at)
        if len(tries) == 1:
            raise ServiceError("the graph is away")
        return Graph(neo4j_server.uri, neo4j_server.user, neo4j_server.password)

    at_hand = GraphAtHand(open_graph, now=lambda: at)
    assert [at_hand.get(), at_hand.get()] == [None, None]
    assert (tries, at_hand.trouble) == ([0.0], "the graph is away")
    at = AGAIN_SECONDS
    found = at_hand.get()
    assert found is not None
    assert at_hand.get() is found
    assert (tries, at_hand.trouble) == ([0.0, at], None)
    at_hand.close()


def test_a_graph_that_vanishes_costs_no_answer(serving, shop):
    """Where the graph fails in the middle, the reasons that the run knows are the answer."""
    served = serving()

    class Vanishing(Graph):
        """Answers, and then does not."""

        def __init__(self):
            pass

        def answers(self):
            """Say yes."""
            return True

        def read(self, query, **parameters):
            """Fail as a server does that is gone."""
            from recsys.graph.neo4j_errors import GraphUnreachableError

            raise GraphUnreachableError("bolt://gone", OSError("gone"))

        def close(self):
            """Do nothing."""

    at_hand = GraphAtHand(Vanishing)
    found = served.follower.ask(lambda live: at_hand.explain(live.recommender, "red lamp", "item-3"))
    assert (found.graph, found.item) == (False, "item-3")
    assert "bolt://gone" in at_hand.trouble
