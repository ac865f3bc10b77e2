"""What a run serves with is chosen on held-out queries."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recsys.core.bonus import Bonus
from recsys.core.scoring import Scoring
from recsys.model.candidates import Candidates
from recsys.model.choice import DEFAULT, _search_one, _with_prototypes, choose
from recsys.model.clicks import Clicks
from recsys.model.composition import PLAIN, Composition, unit
from recsys.model.held_out import Encoded, HeldOut
from recsys.model.marks import SLICES, Marks
from recsys.model.pairs import PairsByQuery
from recsys.model.recipe import PLAIN_RECIPE, Recipe

HELD_OUT = np.array([False, False, False, True, True])
CLICKS = Clicks(np.array([0, 1, 2, 3, 3, 4]), np.array([0, 1, 2, 0, 3, 1]), np.ones(6, np.int64), 5, 4)


def held_out(clicks: Clicks = CLICKS, marks: np.ndarray = HELD_OUT) -> HeldOut:
    """Three training queries and two held-out ones over four items."""
    return HeldOut.by_marks({}, clicks, marks, PairsByQuery.of(np.arange(0), np.arange(0)))


def axes(n: int, *rows: int) -> np.ndarray:
    """Return one unit vector per row, along the axis with that number."""
    return np.eye(n, dtype=np.float32)[list(rows)]


def test_composition_moves_items_to_their_training_queries():
    """Item 1 is far from the held-out query that clicked it, and near once its training query is composed in."""
    items = axes(5, 0, 1, 2, 3)
    queries = unit(np.array([[1, 0, 0, 0, 0], [0, 0, 0, 0, 1], [0, 0, 1, 0, 0], [1, 0, 0, 0, 0], [0.5, 0, 0, 0, 0.9]]))
    encoded = Encoded(items, queries)
    choice = choose(held_out(), encoded, graph=True)
    assert choice.figures["plain"]["P@1"] == pytest.approx(50)
    assert choice.figures["chosen"]["P@1"] == pytest.approx(100)
    assert choice.composition.alpha > 0
    without = choose(held_out(), encoded, graph=False)
    assert (without.one, without.voted, without.scoring) == (PLAIN_RECIPE, None, Scoring())


def test_plain_vectors_are_chosen_when_nothing_beats_them():
    """A recipe that is only as good is not worth its difference."""
    choice = choose(held_out(), Encoded(axes(4, 0, 1, 2, 3), axes(4, 0, 1, 2, 0, 1)), graph=True)
    assert (choice.one, choice.voted) == (PLAIN_RECIPE, None)
    assert choice.figures["chosen"] == choice.figures["plain"]
    assert "with_votes" not in choice.figures


def test_votes_are_chosen_where_they_pay():
    """Twelve queries clicked one item that no vector points at; the held-out one among them finds it by their votes."""
    n = 12
    clicks = Clicks(np.arange(2 * n), np.repeat([0, 1], n), np.ones(2 * n, np.int64), 2 * n, 3)
    marks = np.arange(2 * n) % n == 0
    queries = unit(np.array([[1.0, 0.2, 0]] * n + [[0.2, 1.0, 0]] * n, np.float32))
    items = -axes(3, 0, 1, 2)  # the items' texts and the mean of their queries cancel out
    choice = choose(held_out(clicks, marks), Encoded(items, queries), graph=True)
    assert choice.figures["plain"]["P@1"] == 0
    final = choice.figures.get("with_votes", choice.figures["chosen"])
    assert final["P@1"] == pytest.approx(100)


def test_new_items_are_not_given_up():
    """Whatever is chosen, items without training clicks are found as well as by plain vectors, within the noise."""
    rng = np.random.default_rng(0)
    n = 400
    item = rng.integers(0, 60, n)
    clicks = Clicks(np.arange(n), item, np.ones(n, np.int64), n, 60)
    marks = (rng.random(n) < 0.3) | (item >= 45)  # items from 45 on have no training clicks
    items = unit(rng.normal(size=(60, 8)).astype(np.float32))
    queries = unit(items[item] + 0.6 * rng.normal(size=(n, 8)).astype(np.float32))
    choice = choose(held_out(clicks, marks), Encoded(items, queries), graph=True)
    by_slice = choice.figures["R@10_by_slice"]
    assert by_slice["queries"]["never"] > 50
    assert by_slice["chosen"]["never"] >= by_slice["plain"]["never"] - 10
    best = max(choice.figures["candidates"], key=lambda c: c["score"])
    assert best["score"] >= choice.figures["candidates"][0]["score"]


def test_new_items_borrow_where_queries_look_like_other_titles():
    """Queries of a heap of items are like the titles of the next heap: one that nobody clicked borrows its place."""
    rng = np.random.default_rng(0)
    n = 800
    item, heap = rng.integers(0, 100, n), np.arange(100) % 4
    own = rng.normal(size=(100, 12))
    items = unit(np.column_stack([4 * np.eye(4)[heap], own]).astype(np.float32))
    queries = np.column_stack([4 * np.eye(4)[(heap[item] + 1) % 4], own[item] + rng.normal(size=(n, 12))])
    clicks = Clicks(np.arange(n), item, np.ones(n, np.int64), n, 100)
    encoded = Encoded(items, unit(queries.astype(np.float32)))
    choice = choose(held_out(clicks, (rng.random(n) < 0.2) | (item >= 90)), encoded, graph=True)
    by_slice = choice.figures["R@10_by_slice"]
    assert choice.composition.borrowed > 0
    assert by_slice["chosen"]["never"] > by_slice["plain"]["never"] + 20


@pytest.mark.parametrize(("graph_on", "expected"), [(True, DEFAULT), (False, PLAIN_RECIPE)])
def test_without_queries_to_choose_by(twin, graph_on: bool, expected):
    """No held-out query: the default with a graph, plain vectors without."""
    data = HeldOut.by_marks({}, twin.as_clicks(), np.zeros(60, bool), twin.excluded)
    choice = choose(data, Encoded(np.eye(30, 8, dtype=np.float32), np.eye(60, 8, dtype=np.float32)), graph=graph_on)
    assert choice.one == expected
    assert (choice.composition == PLAIN) != graph_on
    assert choice.figures == {"held_out_queries": 0}


def test_a_residual_is_chosen_where_it_pays():
    """Vectors that answer every held-out query beat texts that answer none, and the figures are theirs."""
    encoded = Encoded(axes(5, 4, 4, 2, 4), axes(5, 3, 3, 3, 0, 1))
    residual = axes(5, 0, 1, 2, 4)
    choice = choose(held_out(), encoded, graph=True, learnt=2 * residual)
    assert choice.composition.residual
    assert choice.figures["chosen"]["P@1"] == pytest.approx(100)
    assert choice.figures["plain"]["P@1"] < 100
    same = choose(held_out(), encoded, graph=True, learnt=encoded.items)
    assert not same.composition.residual


def test_anchors_are_chosen_where_they_pay():
    """Texts that answer nothing, beside anchors that answer every query; anchors like the texts are left out."""
    texts = axes(5, 4, 4, 2, 4)
    encoded = Encoded(0.1 * texts, axes(5, 3, 3, 3, 0, 1), anchors=axes(5, 0, 1, 2, 4))
    choice = choose(held_out(), encoded, graph=True)
    assert choice.composition.anchors > 0
    assert choice.figures["chosen"]["P@1"] == pytest.approx(100)
    assert not choose(held_out(), replace(encoded, anchors=texts), graph=True).composition.anchors


def two_meanings() -> tuple[HeldOut, Encoded]:
    """Item 0 is clicked in two senses, whose mean is nearer to neither than items 1 and 2 are, which one query clicked.

    Each sense has 12 queries, of which 4 are held out.
    """
    n = 12
    clicks = Clicks(np.arange(2 * n + 2), np.repeat([0, 1, 2], [2 * n, 1, 1]), np.ones(2 * n + 2, np.int64), 26, 3)
    marks = np.arange(2 * n + 2) % n < 4
    marks[2 * n :] = False
    beside = [[1, 0, 0.9], [0, 1, 0.9]]
    queries = unit(np.array([[1, 0, 0]] * n + [[0, 1, 0]] * n + beside, np.float32))
    return held_out(clicks, marks), Encoded(unit(np.array([[1, 1, 0.5], *beside], np.float32)), queries)


@pytest.fixture
def nothing_for_popularity(monkeypatch):
    """Leave out recipes that would find the item because it is clicked most."""
    monkeypatch.setattr("recsys.model.choice.IN_TRAINING", (PLAIN_RECIPE,))
    monkeypatch.setattr("recsys.model.variants.POPULARITIES", (0.0,))


@pytest.mark.usefixtures("nothing_for_popularity")
def test_prototypes_are_chosen_where_they_pay(monkeypatch):
    """Without votes to do it, vectors drawn towards both senses find the item; 0 closes them."""
    monkeypatch.setattr("recsys.model.variants.VOTES", (1e-6,))
    monkeypatch.setattr("recsys.model.variants.BORROWED", ())
    data, encoded = two_meanings()
    choice = choose(data, encoded, graph=True, prototypes=8)
    assert choice.one.prototypes > 0
    assert choice.scoring.prototypes == choice.one.prototypes
    assert (choice.voted, choice.scoring.votes) == (None, 0)
    assert choice.figures["chosen"]["P@1"] == pytest.approx(100)
    without = choose(data, encoded, graph=True)
    assert without.scoring.prototypes == 0
    assert without.figures["chosen"]["P@1"] < 100
    measured = {each["prototypes"] for each in choice.figures["candidates"]}
    assert measured == {0, 1, 4, 8}


def test_prototypes_leave_new_items_what_costs_little():
    """With a prototype worth 5 points β may be 0.1, each 0.05 of which costs 0.2 points; none that brings nothing."""

    def tried(gain: float) -> Candidates:
        def marks(recipe: Recipe) -> Marks:
            return Marks(*[40 + gain * recipe.prototypes - 4 * recipe.bonus.new] * 3, {})

        return Candidates(lambda recipes: {recipe: marks(recipe) for recipe in recipes})

    found = _with_prototypes(PLAIN_RECIPE, tried(5.0), 1)
    assert found == Recipe(bonus=Bonus(0.1), prototypes=1)
    assert _with_prototypes(PLAIN_RECIPE, tried(0.0), 1) is None


@pytest.mark.usefixtures("nothing_for_popularity")
def test_votes_that_pay_as_much_take_the_place_of_prototypes(monkeypatch):
    """One of the two serves: with votes prototypes are only told of. Without either, borrowing would do here."""
    monkeypatch.setattr("recsys.model.variants.BORROWED", ())
    choice = choose(*two_meanings(), graph=True, prototypes=8)
    assert choice.voted is not None
    assert (choice.scoring.prototypes, choice.scoring.votes > 0) == (0, True)
    assert choice.figures["with_prototypes"]["P@1"] > choice.figures["chosen"]["P@1"]


def test_coordinates_are_changed_together_where_the_best_costs_a_slice():
    """What spares the tail differs from the best in α and γ at once: no step along one of them finds it."""
    both = (Composition(1.0, 0.0), 0.01)

    def marks(recipe: Recipe) -> Marks:
        found = (recipe.composition, recipe.bonus.popular) == both
        score = 10 if recipe == PLAIN_RECIPE else 40 if found else 45 + recipe.bonus.popular
        tail = np.full(100, 100.0 if found or recipe == PLAIN_RECIPE else 0.0)
        return Marks(score, score, score, {**dict.fromkeys(SLICES, np.empty(0)), "tail": tail})

    tried = Candidates(lambda recipes: {recipe: marks(recipe) for recipe in recipes})
    _search_one(tried, [])
    assert not tried.spares(tried.best())
    found = tried.best(tried.where(tried.spares))
    assert (found.composition, found.bonus.popular) == both
