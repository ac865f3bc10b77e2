"""Held-out clicks made into queries with gold."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.core.run import Table
from recsys.model.task import NoGoldError, build_task

ITEMS = Table(
    ids=["i0", "i1", "page"],
    texts=["red shoe", "blue lamp", "The Page"],
    clicks=np.zeros(3, np.int64),
    degree=np.zeros(3, np.int64),
    payloads=[{}] * 3,
    vectors=np.eye(3, dtype=np.float32),
)


def gold_of(task):
    """Return text to gold rows."""
    parts = np.split(task.gold.indices, task.gold.indptr[1:-1])
    return {text: part.tolist() for text, part in zip(task.texts, parts, strict=True)}


def test_pairs_are_grouped_by_query_and_count_once():
    """The first text of an id is asked; repeated clicks are one pair."""
    task = build_task([("a", "red", "i1"), ("b", "lamp", "i1"), ("a", "RED", "i0"), ("a", "red", "i1")], ITEMS)
    assert gold_of(task) == {"red": [0, 1], "lamp": [1]}
    assert (task.dropped, task.unknown_items, task.unknown_pairs) == (0, 0, 0)


def test_unknown_items_stay_as_misses():
    """Items that the run lacks get rows past its own and are counted."""
    task = build_task([("a", "red", "new"), ("b", "lamp", "new"), ("b", "lamp", "i1"), ("b", "lamp", "newer")], ITEMS)
    assert gold_of(task) == {"red": [3], "lamp": [1, 3, 4]}
    assert (task.unknown_items, task.unknown_pairs) == (2, 3)


def test_filtered_pairs_leave_gold_and_predictions():
    """A filtered pair is no gold and is excluded; a query that loses all its gold is dropped and counted."""
    log = [("a", "red", "i0"), ("b", "lamp", "i0"), ("b", "lamp", "i1")]
    task = build_task(log, ITEMS, [("a", "i0"), ("b", "i0"), ("b", "new"), ("c", "i1")])
    assert gold_of(task) == {"lamp": [1]}
    assert task.dropped == 1
    assert [part.tolist() for part in task.excluded] == [[0], [0]]


def test_a_page_is_no_answer_to_itself():
    """Same id and same text is the same page; the same id alone may be chance."""
    task = build_task([("page", "the  page", "i0"), ("page", "the page", "page"), ("i1", "red", "i1")], ITEMS)
    assert gold_of(task) == {"red": [1], "the  page": [0]}
    assert [part.tolist() for part in task.excluded] == [[1], [2]]


def test_some_queries_of_a_task():
    """Gold, texts and excluded pairs of the queries that are kept, numbered anew; the others are gone."""
    log = [("a", "red", "i0"), ("b", "lamp", "i1"), ("b", "lamp", "i0"), ("c", "blue", "i1")]
    task = build_task(log, ITEMS, [("a", "page"), ("b", "page"), ("c", "i0")]).of_queries(np.array([False, True, True]))
    assert task.queries == ["b", "c"]
    assert gold_of(task) == {"lamp": [0, 1], "blue": [1]}
    assert sorted(zip(*(np.asarray(side).tolist() for side in task.excluded), strict=True)) == [(0, 2), (1, 0)]


def test_nothing_left_is_an_error():
    """A filter that leaves no click says so and names the option."""
    with pytest.raises(NoGoldError, match="--filter") as caught:
        build_task([("a", "red", "i0")], ITEMS, [("a", "i0")])
    assert caught.value.queries == 1
