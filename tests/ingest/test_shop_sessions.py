"""How visitors of the invented shop search and click."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from recsys.ingest.shop import build_shop, generator
from recsys.ingest.shop_queries import build_phrases
from recsys.ingest.shop_sessions import (
    AGAIN_SHARE,
    Events,
    Visitors,
    later_needs,
    popular_needs,
)


@pytest.fixture(scope="module")
def world() -> SimpleNamespace:
    """A shop of 2,000 items, its visitors, and 10,000 sessions of theirs."""
    shop = build_shop(60_000, 9)
    visitors = Visitors(shop, build_phrases(shop, 9))
    return SimpleNamespace(shop=shop, events=visitors.draw(generator(9), 10_000, popular_needs(shop)))


def test_sessions_are_numbered_and_short(world):
    """Sessions come in order, each with one to eight clicks; the mean is (1 - 0.6⁸) / 0.4 = 2.458."""
    lengths = np.bincount(world.events.session)
    assert len(lengths) == 10_000
    assert (lengths.min(), lengths.max()) == (1, 8)
    assert lengths.mean() == pytest.approx(2.458, abs=0.06)
    assert (np.diff(world.events.session) >= 0).all()


def test_queries_are_asked_again_within_a_session_only(world):
    """About a third of the later clicks of a session come under the query before; first clicks have no such share."""
    same_query = (np.diff(world.events.phrases, axis=0) == 0).all(axis=1)
    same_session = np.diff(world.events.session) == 0
    assert AGAIN_SHARE <= same_query[same_session].mean() < AGAIN_SHARE + 0.2
    assert same_query[~same_session].mean() < 0.02


def test_the_log_leaves_new_items_out_and_the_later_week_does_not(world):
    """Needs of the click log are listed items; a fifth of the later needs are new ones."""
    listed = world.shop.listed
    assert world.events.item.max() < listed
    needs = later_needs(world.shop)(generator(1), 20_000)
    assert (needs >= listed).mean() == pytest.approx(0.2, abs=0.02)
    assert needs.max() < world.shop.items


def test_no_query_is_empty(world):
    """Every query says something: the kind, or else brand and use."""
    assert ((world.events.phrases >= 0).sum(axis=1) >= 1).all()


def test_events_keep_and_join():
    """Rows kept and joined stay together."""
    events = Events(np.array([0, 0, 1]), np.arange(12).reshape(3, 4), np.array([5, 6, 7]))
    joined = Events.join([events.keep(slice(1, None)), events.keep(np.array([True, False, False]))])
    assert joined.item.tolist() == [6, 7, 5]
    assert joined.session.tolist() == [0, 1, 0]
    assert joined.phrases[:, 0].tolist() == [4, 8, 0]
