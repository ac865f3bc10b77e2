"""Histories, where answers come from, and asking from asyncio."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from recsys.core.scoring import Scoring
from recsys.serving import AsyncRecommender, Recommender
from recsys.serving.publish import publish

BOTH = Scoring(bonus=0.1, votes=0.6, votes_bonus=0.4)


@pytest.fixture(params=[Scoring(), BOTH], ids=["plain", "votes"])
def live(shop, request):
    """A recommender on one published run, with and without votes."""
    run = shop.run("a", scoring=request.param)
    with shop.connect() as client:
        publish(client, run, shop.alias, embedded=shop.embedded)
        yield Recommender(client, shop.alias, shop.runs)


def test_a_history_of_one_query_is_that_query(live):
    """The same hits and scores, by text or by id; what was seen is left out."""
    for history, alone in (
        (live.by_history(["oak table"], k=40), live.by_text(["oak table"], 40)[0]),
        (live.by_history(query_ids=["query-7"], k=40), live.by_query_id("query-7", 40)),
    ):
        assert [hit.id for hit in history.hits] == [hit.id for hit in alone.hits]
        np.testing.assert_allclose([h.score for h in history.hits], [h.score for h in alone.hits], atol=1e-5)
    assert live.by_history(["oak table"], k=1).kind == "history"


def test_a_history_is_the_mean_of_its_events(shop):
    """Queries and items weigh the same, whatever the length of their vectors; items of the history are no hits."""
    run = shop.run("a")
    with shop.connect() as client:
        publish(client, run, shop.alias, embedded=shop.embedded)
        answer = Recommender(client, shop.alias, shop.runs).by_history([], ["query-3"], ["item-5", "item-9"], 10)
    vectors = run.items().vectors
    mean = (run.queries().vectors[3] + vectors[5] + vectors[9]) / 3
    scores = vectors @ (mean / np.linalg.norm(mean))
    order = [row for row in np.argsort(-scores) if row not in (5, 9)][:10]
    assert [hit.id for hit in answer.hits] == [f"item-{row}" for row in order]
    np.testing.assert_allclose([hit.score for hit in answer.hits], scores[order], atol=1e-5)


def test_what_is_gone_from_a_history_is_passed_over(live):
    """Unknown ids and words change nothing; a history of these alone matches nothing."""
    known = live.by_history([], ["query-7"], ["item-3"])
    assert live.by_history(["xyzzy"], ["query-7", "gone"], ["item-3", "gone"]).hits != ()
    assert [h.id for h in live.by_history([], ["query-7", "gone"], ["item-3", "gone"]).hits] == [
        h.id for h in known.hits
    ]
    nothing = live.by_history([], ["gone"], ["gone"])
    assert (nothing.matched, nothing.hits) == (False, ())


def test_every_answer_says_where_it_comes_from(live):
    """The collection, its run and its encoder, and that it was searched."""
    origin = live.by_item("item-3").origin
    assert (origin.collection, origin.run) == (live.collection, live.lineage.run)
    assert (origin.encoder_hash, origin.way, origin.because) == (live.lineage.encoder_hash, "vector", None)


def test_asyncio_gets_the_same_answers(live):
    """Every method, all of them at once, with the errors too."""

    async def ask_all():
        async with AsyncRecommender(live, at_once=4) as recommender:
            return await asyncio.gather(
                recommender.by_text(["oak table", "red"], 5),
                recommender.by_query_id("query-7", 5),
                recommender.by_query_ids(["query-3", "query-0"]),
                recommender.by_item("item-3", 5),
                recommender.by_items(["item-3"], ["item-5"], 5),
                recommender.by_history(["oak"], [], ["item-3"], 5),
                recommender.by_item("nobody"),
                return_exceptions=True,
            )

    *answers, error = asyncio.run(ask_all())
    assert answers == [
        live.by_text(["oak table", "red"], 5),
        live.by_query_id("query-7", 5),
        live.by_query_ids(["query-3", "query-0"]),
        live.by_item("item-3", 5),
        live.by_items(["item-3"], ["item-5"], 5),
        live.by_history(["oak"], [], ["item-3"], 5),
    ]
    assert type(error).__name__ == "UnknownIdError"
