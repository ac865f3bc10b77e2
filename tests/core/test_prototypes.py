"""Prototypes: which queries items are drawn towards, and what that does to scores."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.core import prototypes
from recsys.core.prototypes import Prototypes, choose_prototypes, prototypes_of
from recsys.core.run import Table
from recsys.core.scoring import Scoring

ITEMS = np.array([[1, 0], [0, 1]], np.float32)
ACROSS = Prototypes(np.array([0, 1, 1]), np.array([0]), np.array([[0, 1]], np.float32))
"The first item was clicked by a query that has nothing in common with it."


def drawn_at_random(seed: int, k: int) -> tuple[Prototypes, np.ndarray, np.ndarray]:
    """Return prototypes of 6 items that 12 queries clicked, the items, and 5 queries asked; with a bonus."""
    rng = np.random.default_rng(seed)
    query, item = np.unique(rng.integers(0, (12, 6), (20, 2)), axis=0).T
    vectors = rng.normal(size=(12, 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    items, asked = (rng.normal(size=(n, 5)).astype(np.float32) for n in (6, 5))
    return choose_prototypes(query, item, rng.integers(1, 4, len(query)), vectors, 6, k), items, asked


def test_vectors_are_drawn_part_of_the_way():
    """(1, 0) + 0.25 · (0, 1) has the direction (0.970143, 0.242536), and keeps the item's bonus."""
    found = ACROSS.all_vectors(np.column_stack([ITEMS, [0.03, 0.1]]).astype(np.float32), 0)
    np.testing.assert_allclose(found, [[1, 0, 0.03], [0.970143, 0.242536, 0.03]], atol=1e-6)
    np.testing.assert_allclose(ACROSS.all_vectors(ITEMS, 1), [[0, 1]])


def test_the_highest_product_counts():
    """(0.6, 0.8) gives 0.6 to the item itself and 0.776114 to the vector drawn towards its query; (1, 0) gives 1."""
    asked = np.array([[0.6, 0.8], [1, 0]], np.float32)
    scores = asked @ ITEMS.T
    ACROSS.raise_scores(scores, asked, ITEMS)
    np.testing.assert_allclose(scores, [[0.776114, 0.8], [1, 0]], atol=1e-6)


def test_the_queries_with_the_most_clicks_are_chosen():
    """Query 2 clicked most, query 1 means nothing to the encoder, and of equal ones neither the first nor all come."""
    vectors = np.ones((9, 2), np.float32)
    vectors[1] = 0
    clicks = np.array([1, 9, 5, 1, 1, 1, 1, 1, 1])
    found = choose_prototypes(np.arange(9), np.full(9, 1), clicks, vectors, 3, 3)
    assert found.start.tolist() == [0, 0, 3, 3]
    first, *others = found.queries_of(1).tolist()
    assert first == 2
    assert len(others) == 2
    assert others != [0, 3]
    assert found.most == 3


@given(st.integers(0, 1000), st.integers(1, 4))
def test_layer_by_layer_is_all_at_once(seed: int, k: int):
    """Scores are the highest over each item's vectors, whether raised at once or one prototype after the other."""
    beside, items, asked = drawn_at_random(seed, k)
    whole, parts = asked @ items.T, asked @ items.T
    beside.raise_scores(whole, asked, items)
    for layer in range(k):
        beside.raise_scores(parts, asked, items, range(layer, layer + 1))
    expected = np.column_stack([(asked @ beside.all_vectors(items, row).T).max(axis=1) for row in range(6)])
    np.testing.assert_allclose(whole, expected, atol=1e-5)
    np.testing.assert_array_equal(parts, whole)


def test_scores_do_not_depend_on_pieces(monkeypatch):
    """One item at a time gives the same scores."""
    beside, items, asked = drawn_at_random(3, 3)
    whole, parts = asked @ items.T, asked @ items.T
    beside.raise_scores(whole, asked, items)
    monkeypatch.setattr(prototypes, "_ITEMS_AT_ONCE", 1)
    beside.raise_scores(parts, asked, items)
    np.testing.assert_allclose(parts, whole, atol=1e-6)


def test_a_run_has_them_by_the_ballots_of_its_queries():
    """Vectors are those of the queries without the dimensions of the bonus; none where none were chosen."""
    vectors = np.array([[1, 0, 7, 0], [0, 1, 7, 0]], np.float32)
    ballots = [{"items": [1], "counts": [2]}, {"items": [0, 1], "counts": [1, 4]}]
    queries = Table(["a", "b"], ["a", "b"], np.ones(2, np.int64), np.ones(2, np.int64), ballots, vectors)
    found = prototypes_of(queries, 3, Scoring(bonus=0.7, prototypes=1))
    assert found is not None
    assert [found.queries_of(item).tolist() for item in range(3)] == [[1], [1], []]
    np.testing.assert_array_equal(found.vectors, vectors[:, :2])
    assert prototypes_of(queries, 3, Scoring(bonus=0.7)) is None
