"""Rolling back: the collection that was live before is live again, answers and all."""

from __future__ import annotations

import pytest

from recsys.serving.alias import ForeignCollectionError, NothingBeforeError, NothingPublishedError, live_collection
from recsys.serving.alias import roll_back as back
from recsys.serving.publish import publish


def answers(client, alias):
    """Return the nearest items of a fixed vector."""
    found = client.query_points(alias, query=[1.0, *[0.0] * 7], limit=10).points
    return [p.payload["id"] for p in found], [p.score for p in found]


def test_rolling_back_brings_the_old_answers_back(shop):
    """After publish and rollback a query gets what it got before, and publishing goes forward again."""
    first, second = shop.run("a"), shop.run("b", seed=1)
    with shop.connect() as client:
        publish(client, first, shop.alias, embedded=shop.embedded)
        ids, scores = answers(client, shop.alias)
        publish(client, second, shop.alias, embedded=shop.embedded)
        new_ids, _ = answers(client, shop.alias)
        assert new_ids != ids
        for _ in range(2):
            assert back(client, shop.alias).left == second.name
            assert answers(client, shop.alias) == (ids, pytest.approx(scores, abs=1e-6))
            assert publish(client, second, shop.alias, embedded=shop.embedded).uploaded == 0
            assert answers(client, shop.alias)[0] == new_ids


def test_a_run_that_was_rolled_back_is_never_gone_back_to(shop):
    """Publishing after a rollback remembers what was live, not what was newest."""
    good, bad, better = (shop.run(name, seed=seed) for seed, name in enumerate("abc"))
    with shop.connect() as client:
        publish(client, good, shop.alias, embedded=shop.embedded)
        publish(client, bad, shop.alias, embedded=shop.embedded)
        back(client, shop.alias)
        assert publish(client, better, shop.alias, embedded=shop.embedded).removed == (bad.name,)
        assert back(client, shop.alias).collection == good.name


def test_the_first_collection_has_nothing_before_it(shop):
    """Going back from the first collection is refused, and it stays live."""
    run = shop.run("a")
    with shop.connect() as client:
        publish(client, run, shop.alias, embedded=shop.embedded)
        with pytest.raises(NothingBeforeError, match="recsys publish RUN"):
            back(client, shop.alias)
        assert live_collection(client, shop.alias) == run.name


def test_going_back_twice_stops_at_what_is_left(shop):
    """Only one collection before the live one is kept, so the second step back is refused."""
    with shop.connect() as client:
        for seed, name in enumerate("abc"):
            publish(client, shop.run(name, seed=seed), shop.alias, embedded=shop.embedded)
        back(client, shop.alias)
        with pytest.raises(NothingBeforeError):
            back(client, shop.alias)


def test_an_alias_nobody_published_is_told_apart(shop):
    """No alias, and an alias on somebody else's collection, are two different errors."""
    from qdrant_client import models

    with shop.connect() as client:
        with pytest.raises(NothingPublishedError, match="recsys publish"):
            back(client, shop.alias)
        foreign = f"{shop.alias}-foreign"
        client.create_collection(foreign, vectors_config={})
        create = models.CreateAlias(collection_name=foreign, alias_name=shop.alias)
        client.update_collection_aliases([models.CreateAliasOperation(create_alias=create)])
        with pytest.raises(ForeignCollectionError, match=foreign):
            back(client, shop.alias)
