"""Top-k ranking against a full sort."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.model import ranking
from recsys.model.ranking import best, rank_blocks, top_k


def test_order_by_hand():
    """Scores 1, 3, 2 rank as rows 1, 2, 0."""
    ranked = top_k(np.array([[1]], np.float32), np.array([[1], [3], [2]], np.float32), 3)
    assert ranked.tolist() == [[1, 2, 0]]


def test_an_excluded_pair_frees_its_place():
    """The top k stays full when filtered pairs are taken out, and only the query of the pair is touched."""
    items = np.array([[4], [3], [2], [1]], np.float32)
    ranked = top_k(np.ones((2, 1), np.float32), items, 2, excluded=([1, 1], [0, 2]))
    assert ranked.tolist() == [[0, 1], [1, 3]]


def test_short_rankings_are_padded():
    """With fewer than k items left, −1 follows."""
    ranked = top_k(np.ones((1, 1), np.float32), np.ones((3, 1), np.float32), 5, excluded=([0], [1]))
    assert ranked.tolist() == [[0, 2, -1, -1, -1]]


@pytest.mark.parametrize("value", [0, np.nan])
def test_a_query_without_direction_ranks_nothing(value):
    """A zero or NaN query vector gets no arbitrary items."""
    queries = np.array([[value, value], [1, 0]], np.float32)
    assert top_k(queries, np.eye(2, dtype=np.float32), 2).tolist() == [[-1, -1], [0, 1]]


def test_an_item_with_nan_does_not_win():
    """NaN in an item vector counts as 0."""
    items = np.array([[np.nan], [1], [-1]], np.float32)
    assert top_k(np.ones((1, 1), np.float32), items, 3).tolist() == [[1, 0, 2]]


def test_no_queries_and_no_items():
    """Empty sides give empty or padded rankings."""
    some, none = np.ones((2, 3), np.float32), np.ones((0, 3), np.float32)
    assert top_k(none, some, 4).shape == (0, 4)
    assert top_k(some, none, 2).tolist() == [[-1, -1], [-1, -1]]


@given(st.data())
def test_best_equals_a_full_stable_sort(data):
    """Ties go to the lower column, also where the cut falls within a tie; −inf is never chosen."""
    rows, columns, k = (data.draw(st.integers(1, n)) for n in (4, 9, 12))
    choices = st.sampled_from([-np.inf, -1.0, 0.0, 1.0, 2.0])
    flat = data.draw(st.lists(choices, min_size=rows * columns, max_size=rows * columns))
    scores = np.array(flat, np.float32).reshape(rows, columns)
    for found, row in zip(best(scores, k), scores, strict=True):
        order = [c for c in sorted(range(columns), key=lambda c: (-row[c], c)) if row[c] > -np.inf][:k]
        assert found.tolist() == order + [-1] * (k - len(order))


@given(seed=st.integers(0, 99), size=st.integers(1, 60))
def test_blocks_change_nothing(seed, size):
    """The ranking is the same whatever the block, exclusions included."""
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 5, (7, 6)).astype(np.float32)
    excluded = (rng.integers(0, 7, 9), rng.integers(0, 6, 9))
    whole = rank_blocks(lambda block: scores[block].copy(), 7, 6, 4, excluded=excluded)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranking, "BLOCK_SCORES", size)
        parts = rank_blocks(lambda block: scores[block].copy(), 7, 6, 4, excluded=excluded)
    assert parts.tolist() == whole.tolist()
