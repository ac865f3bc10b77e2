"""Recommending with a bonus for new items and with votes: what training measured is what is served."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.core.bonus import NO_BONUS
from recsys.core.scoring import Scoring
from recsys.core.votes import shares
from recsys.serving.alias import roll_back
from recsys.serving.lineage import collection_names, read_lineage
from recsys.serving.publish import publish
from recsys.serving.recommend import Recommender
from recsys.serving.voters import VotersTakenError, voters_of

BONUS = Scoring(bonus=0.3, popularity=0.2)
VOTES = Scoring(votes=0.6)
BOTH = Scoring(bonus=0.1, votes=0.6, votes_bonus=0.4, votes_popularity=0.1)


def expected(run, vector, k, *, bonus=NO_BONUS, votes=0.0):
    """Return ids and scores of the best k items by the formula, over all items."""
    items, queries, width = run.items(), run.queries(), 8
    unit = vector[:width] / np.linalg.norm(vector[:width])
    scores = items.vectors[:, :width] @ unit + bonus.of_items(items.degree)
    voters = np.flatnonzero(queries.degree)
    share = shares(queries.vectors[voters, :width] @ unit)
    for voter, part in zip(voters, share, strict=True):
        scores[queries.payloads[voter]["items"]] += votes * part
    order = np.argsort(-scores)[:k]
    return [items.ids[row] for row in order], scores[order]


def check(result, ids, scores):
    """Compare a result with what is expected."""
    assert [hit.id for hit in result.hits] == ids
    np.testing.assert_allclose([hit.score for hit in result.hits], scores, atol=1e-5)


@pytest.mark.parametrize("how", [BONUS, VOTES, BOTH])
@pytest.mark.parametrize("k", [1, 5, 40])
def test_texts_and_queries_are_answered_by_the_formula(shop, how, k):
    """An unknown text, a known one and a query id get the exact best of all items."""
    from sentence_transformers import SentenceTransformer

    run = shop.run("a", scoring=how)
    bonus = how.chosen
    queries = run.queries()
    with shop.connect() as client:
        publish(client, run, shop.alias, embedded=shop.embedded)
        recommender = Recommender(client, shop.alias, shop.runs)
        known, new, unknown = recommender.by_text([queries.texts[3], "oak table", "xyzzy"], k=k)
        by_id = recommender.by_query_id("query-7", k=k)
    encoded = SentenceTransformer(str(run.encoder_path)).encode("oak table")
    if how.votes:
        check(new, *expected(run, encoded, k, bonus=bonus, votes=how.votes))
    check(known, *expected(run, queries.vectors[3], k, bonus=bonus, votes=how.votes))
    check(by_id, *expected(run, queries.vectors[7], k, bonus=bonus, votes=how.votes))
    assert (known.known, new.known, unknown.matched, unknown.hits) == (True, False, False, ())


def test_items_are_alike_by_cosine_alone(shop):
    """Neither bonus nor votes decide which items are near an item, clicked or not."""
    run = shop.run("a", scoring=BOTH)
    vectors = run.items().vectors[:, :8]
    with shop.connect() as client:
        publish(client, run, shop.alias, embedded=shop.embedded)
        recommender = Recommender(client, shop.alias, shop.runs)
        for row in (0, 5):
            scores = vectors @ vectors[row]
            order = [other for other in np.argsort(-scores) if other != row][:10]
            check(recommender.by_item(f"item-{row}"), [f"item-{other}" for other in order], scores[order])


def test_a_backend_searches_by_the_id_of_a_query(shop):
    """The voters' vectors are ready for a single search of the items, and say who they are and what they clicked."""
    run = shop.run("a", scoring=BOTH)
    queries = run.queries()
    with shop.connect() as client:
        done = publish(client, run, shop.alias, embedded=shop.embedded)
        points = client.retrieve(voters_of(run.name), [4], with_vectors=True)
        found = client.query_points(shop.alias, query=points[0].vector, limit=5).points
        assert client.count(voters_of(run.name)).count == done.queries == 11  # the first query clicked nothing
        lineage = read_lineage(client, run.name)
    text = queries.texts[4].lower()
    assert points[0].payload == {"id": "query-4", "text": text, **queries.payloads[4]}
    ids, scores = expected(run, queries.vectors[4], 5, bonus=BOTH.one)
    assert [f"item-{point.id}" for point in found] == ids
    np.testing.assert_allclose([point.score for point in found], scores, atol=1e-5)
    assert lineage is not None
    assert lineage.how == BOTH


def test_voters_come_and_go_with_their_items(shop):
    """Publishing again sends nothing; the collection before keeps its voters for a rollback, older ones lose them."""
    a, b, c = (shop.run(name, seed=seed, scoring=VOTES) for seed, name in enumerate("abc"))
    with shop.connect() as client:
        publish(client, a, shop.alias, embedded=shop.embedded)
        assert publish(client, a, shop.alias, embedded=shop.embedded).queries == 0
        publish(client, b, shop.alias, embedded=shop.embedded)
        assert publish(client, c, shop.alias, embedded=shop.embedded).removed == (a.name,)
        kept = {b.name, c.name, voters_of(b.name), voters_of(c.name)}
        assert {name for name in collection_names(client) if name.startswith(shop.alias)} == kept
        roll_back(client, shop.alias)
        result = Recommender(client, shop.alias, shop.runs).by_query_id("query-2")
        check(result, *expected(b, b.queries().vectors[2], 10, votes=0.6))


def test_voters_of_something_else_are_not_touched(shop):
    """A collection that happens to have the name of the voters stops the publication before the switch."""
    run = shop.run("a", scoring=VOTES)
    with shop.connect() as client:
        client.create_collection(voters_of(run.name), vectors_config={})
        with pytest.raises(VotersTakenError, match="recsys publish"):
            publish(client, run, shop.alias, embedded=shop.embedded)
        assert not client.get_aliases().aliases
