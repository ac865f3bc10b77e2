"""Pairs found by query."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.graph.client import Graph
from recsys.model.pairs import PairsByQuery, rows_of_pairs
from recsys.model.texts import Texts
from tests.model.text_files import written

PAIRS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 4)), max_size=20)
ROWS = st.lists(st.integers(0, 6), max_size=8)
ITEMS = st.lists(st.integers(0, 9), max_size=8)


def made_of(pairs: list[tuple[int, int]]) -> PairsByQuery:
    """Return these pairs of seven queries."""
    both = np.array(pairs, np.int64).reshape(-1, 2)
    return PairsByQuery.of(both[:, 0], both[:, 1])


@given(PAIRS, ROWS, ITEMS)
def test_the_mask_is_true_for_pairs_alone(pairs: list[tuple[int, int]], queries: list[int], items: list[int]):
    """In whatever order and however often queries and items come, the mask says what a set of the pairs says."""
    found = made_of(pairs).known(np.array(queries, np.int64), np.array(items, np.int64))
    assert found.tolist() == [[(q, i) in set(pairs) for i in items] for q in queries]


@given(PAIRS, PAIRS)
def test_pairs_are_recognised_one_by_one(pairs: list[tuple[int, int]], asked: list[tuple[int, int]]):
    """A pair is held if and only if it was given."""
    both = np.array(asked, np.int64).reshape(-1, 2)
    assert made_of(pairs).holds(both[:, 0], both[:, 1]).tolist() == [pair in set(pairs) for pair in asked]


@given(PAIRS, ROWS)
def test_edges_of_queries_come_sorted_and_once(pairs: list[tuple[int, int]], queries: list[int]):
    """Each pair of the asked queries comes once, by query and item."""
    edges = made_of(pairs).edges_of(np.array(queries, np.int64))
    assert list(zip(edges.source, edges.target, strict=True)) == sorted({p for p in pairs if p[0] in queries})


def test_ids_become_rows(small: Graph, twin, tmp_path: Path):
    """Pairs are found by their ids, and those of which the graph lacks an end are left out."""
    queries, items = (Texts.fetch(small, label, n, tmp_path / label) for label, n in (("Query", 60), ("Item", 30)))
    pairs = [(twin.query_ids[7], twin.item_ids[3]), ("nowhere", twin.item_ids[3]), (twin.query_ids[7], "nothing")]
    query, item = rows_of_pairs(pairs, queries, items)
    assert (query.tolist(), item.tolist()) == ([7], [3])


def test_ids_are_looked_up_on_every_page(tmp_path: Path):
    """Rows count on from page to page, whatever page an id is on and however often it is asked."""
    texts = written(tmp_path / "t", *((page, page) for page in (["a", "b"], ["c", "d"], ["e"])))
    pairs = [("e", "a"), ("b", "d"), ("x", "c"), ("e", "c"), ("e", "a")]
    query, item = rows_of_pairs(pairs, texts, texts)
    assert list(zip(query, item, strict=True)) == [(4, 0), (1, 3), (4, 2), (4, 0)]
    assert [side.tolist() for side in rows_of_pairs([], texts, texts)] == [[], []]
