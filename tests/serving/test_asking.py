"""Asking for less than everything: filters, items left out, several items, and collections that vanish."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.core.scoring import Scoring
from recsys.serving.only import Condition, Only
from recsys.serving.publish import publish
from recsys.serving.qdrant_errors import CollectionGoneError
from recsys.serving.recommend import Recommender
from recsys.serving.recommendation import UnknownIdError
from recsys.serving.voters import remove, voters_of

WAYS = (Scoring(), Scoring(bonus=0.1, votes=0.6, votes_bonus=0.4))
ONLY = Only([Condition("brand", "=", "b1"), Condition("clicks", ">=", 10)], ["item-13", "item-16"])


@pytest.fixture(params=WAYS, ids=["plain", "votes"])
def live(shop, request):
    """A recommender on one published run, with and without votes, and the run."""
    run = shop.run("a", scoring=request.param)
    with shop.connect() as client:
        publish(client, run, shop.alias, embedded=shop.embedded)
        yield run, Recommender(client, shop.alias, shop.runs)


def allowed(hit):
    """Say whether ONLY lets an item through; its brand and clicks follow from its row."""
    row = int(hit.id.removeprefix("item-"))
    return row % 3 == 1 and row >= 10 and row not in (13, 16)


@pytest.mark.parametrize("k", [1, 3, 40])
def test_what_is_narrowed_is_the_rest_of_everything(live, k):
    """Filtered answers are the full ranking without what the filter forbids, with the same scores."""
    _, recommender = live
    for ask in (
        lambda k, **only: recommender.by_text(["oak table"], k, **only)[0],
        lambda k, **only: recommender.by_query_id("query-7", k, **only),
        lambda k, **only: recommender.by_item("item-3", k, **only),
        lambda k, **only: recommender.by_items(["item-3", "item-10"], ["item-5"], k, **only),
    ):
        expected = [hit for hit in ask(40).hits if allowed(hit)][:k]
        found = ask(k, only=ONLY).hits
        assert [hit.id for hit in found] == [hit.id for hit in expected]
        assert [hit.rank for hit in found] == [*range(1, len(found) + 1)]
        np.testing.assert_allclose([hit.score for hit in found], [hit.score for hit in expected], atol=1e-5)


def test_a_filter_that_nothing_fits_leaves_nothing(live):
    """No hits, which is not the same as a text that matched nothing."""
    _, recommender = live
    (answer,) = recommender.by_text(["red"], only=Only([Condition("brand", "=", "none")]))
    assert (answer.matched, answer.hits) == (True, ())


def test_several_queries_are_one_batch(live):
    """A batch of ids gets what each gets alone."""
    _, recommender = live
    ids = ["query-3", "query-0", "query-3"]
    assert recommender.by_query_ids(ids, 5) == [recommender.by_query_id(id_, 5) for id_ in ids]


def test_liked_and_disliked_items_follow_the_formula(live):
    """Near norm(2 · mean of the liked − mean of the disliked), by cosine, and none of them."""
    run, recommender = live
    vectors = run.items().vectors[:, :8]
    wanted = 2 * vectors[[3, 10]].mean(axis=0) - vectors[[5]].mean(axis=0)
    scores = vectors @ (wanted / np.linalg.norm(wanted))
    order = [row for row in np.argsort(-scores) if row not in (3, 5, 10)][:10]
    answer = recommender.by_items(["item-3", "item-10"], ["item-5"])
    assert [hit.id for hit in answer.hits] == [f"item-{row}" for row in order]
    np.testing.assert_allclose([hit.score for hit in answer.hits], scores[order], atol=1e-5)
    with pytest.raises(UnknownIdError):
        recommender.by_items(["item-3"], ["nobody"])


def test_a_vanished_collection_is_named(live):
    """Whoever asks after the collection was deleted hears which one, and what to run."""
    run, recommender = live
    if run.scoring.votes:
        recommender._client.delete_collection(voters_of(run.name))
        with pytest.raises(CollectionGoneError, match="-queries"):
            recommender.by_query_id("query-3")
    remove(recommender._client, run.name)
    for ask in (lambda: recommender.by_text(["red"]), lambda: recommender.by_item("item-3")):
        with pytest.raises(CollectionGoneError, match="recsys collections") as caught:
            ask()
        assert caught.value.collection == run.name
