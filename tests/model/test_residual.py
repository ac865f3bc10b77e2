"""Residuals of items, learnt after the encoder."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.model.clicks import Clicks
from recsys.model.composition import unit
from recsys.model.held_out import Encoded
from recsys.model.pairs import PairsByQuery
from recsys.model.residual import learn_residual


@pytest.fixture
def learnt(twin) -> tuple[Encoded, Clicks, np.ndarray]:
    """Random vectors of the twin's queries and items, and what was learnt from its clicks."""
    rng = np.random.default_rng(4)
    queries, items = (unit(rng.normal(size=(n, 24)).astype(np.float32)) for n in (60, 30))
    encoded, clicks = Encoded(items, queries), twin.as_clicks()
    return encoded, clicks, learn_residual(encoded, clicks, twin.excluded, seed=1)


def test_clicked_items_move_towards_their_queries(learnt: tuple[Encoded, Clicks, np.ndarray]):
    """Clicked pairs are nearer than by text alone."""
    encoded, clicks, found = learnt
    items = (encoded.items, unit(found))
    before, after = ((encoded.queries[clicks.query] * some[clicks.item]).sum(1) for some in items)
    assert after.mean() > before.mean() + 0.01


def test_the_same_seed_gives_the_same(learnt: tuple[Encoded, Clicks, np.ndarray], twin):
    """Learning again changes nothing, another seed does."""
    encoded, clicks, found = learnt
    np.testing.assert_array_equal(learn_residual(encoded, clicks, twin.excluded, seed=1), found)
    assert (learn_residual(encoded, clicks, twin.excluded, seed=2) != found).any()


def test_items_without_clicks_keep_their_text(learnt: tuple[Encoded, Clicks, np.ndarray]):
    """Neither a residual of their own nor the pushes of queries move them."""
    encoded, clicks, found = learnt
    never = np.setdiff1d(np.arange(30), clicks.item)
    assert len(never)
    np.testing.assert_allclose(found[never], encoded.items[never], atol=1e-6)


def test_known_items_are_not_pushed():
    """Where the only two items are both clicked by every query there is no negative, and nothing moves."""
    vectors = unit(np.random.default_rng(0).normal(size=(5, 6)).astype(np.float32))
    clicks = Clicks(np.repeat([0, 1, 2], 2), np.tile([0, 1], 3), np.ones(6, np.int64), 3, 2)
    found = learn_residual(
        Encoded(vectors[:2], vectors[2:]), clicks, PairsByQuery.of(np.arange(0), np.arange(0)), seed=0
    )
    np.testing.assert_allclose(found, vectors[:2], atol=1e-6)
