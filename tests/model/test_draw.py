"""Draws of one neighbour, and the masks that go with them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from recsys.graph.pages import Edges
from recsys.model.draw import Draw, known, pick_one, without_own

few = hypothesis_settings(max_examples=100)
pairs = st.sets(st.tuples(st.integers(0, 9), st.integers(0, 14)), max_size=60)
rows = st.lists(st.integers(0, 9), max_size=20)


def as_edges(some: set[tuple[int, int]]) -> Edges:
    """Return the pairs as a page, sorted as pages are."""
    source, target = np.array(sorted(some), dtype=np.int64).reshape(-1, 2).T
    return Edges(source, target, np.ones_like(source))


def draw_one(rows_B: np.ndarray, edges: Edges, rng: np.random.Generator) -> Draw:
    """Pick and mask by the same edges."""
    position_N, drawn_N = pick_one(rows_B, edges, rng)
    return Draw(position_N, drawn_N, known(rows_B[position_N], drawn_N, edges))


@few
@given(some=pairs, asked=rows, seed=st.integers(0, 2**32))
def test_a_drawn_neighbour_is_a_neighbour(some: set[tuple[int, int]], asked: list[int], seed: int):
    """Exactly the rows with neighbours draw, in the order of the batch, and each draws one of its own."""
    draw = draw_one(np.array(asked, dtype=np.int64), as_edges(some), np.random.default_rng(seed))
    assert draw.position_N.tolist() == [p for p, row in enumerate(asked) if any(s == row for s, _ in some)]
    for position, drawn in zip(draw.position_N, draw.drawn_N, strict=True):
        assert (asked[position], drawn) in some


@few
@given(some=pairs, asked=rows, seed=st.integers(0, 2**32))
def test_the_mask_of_a_draw_equals_brute_force(some: set[tuple[int, int]], asked: list[int], seed: int):
    """Column j is known to row i exactly where the graph has that edge; a row always knows its own draw."""
    draw = draw_one(np.array(asked, dtype=np.int64), as_edges(some), np.random.default_rng(seed))
    expected = [[(asked[p], d) in some for d in draw.drawn_N] for p in draw.position_N]
    assert draw.known_NN.tolist() == expected
    assert draw.known_NN.diagonal().all()


@few
@given(some=pairs, asked=rows, seed=st.integers(0, 2**32))
def test_a_row_is_no_negative_of_itself(some: set[tuple[int, int]], asked: list[int], seed: int):
    """Between nodes of one label the mask has the row's own node besides its neighbours, and nothing else changes."""
    asked_B = np.array(asked, dtype=np.int64)
    draw = draw_one(asked_B, as_edges(some), np.random.default_rng(seed))
    masked = without_own(draw, asked_B)
    expected = [[(asked[p], d) in some or asked[p] == d for d in draw.drawn_N] for p in draw.position_N]
    assert masked.known_NN.tolist() == expected
    assert masked.drawn_N is draw.drawn_N


@few
@given(some=pairs, left=rows, right=st.lists(st.integers(0, 16), max_size=20))
def test_any_mask_equals_brute_force(some: set[tuple[int, int]], left: list[int], right: list[int]):
    """Rows and columns may repeat, be unknown to the page, or be none at all."""
    mask = known(np.array(left, dtype=np.int64), np.array(right, dtype=np.int64), as_edges(some))
    assert mask.shape == (len(left), len(right))
    assert mask.tolist() == [[(row, column) in some for column in right] for row in left]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_draw_is_uniform(seed: int):
    """Over 14,000 draws from 7 neighbours, χ² stays below 22.5, the 0.1 % point at 6 degrees of freedom."""
    edges = as_edges({(3, target) for target in range(7)} | {(2, 9), (4, 9)})
    drawn = draw_one(np.full(14_000, 3), edges, np.random.default_rng(seed)).drawn_N
    counts = np.bincount(drawn, minlength=7)
    assert len(counts) == 7
    assert ((counts - 2000) ** 2 / 2000).sum() < 22.5


def test_one_draw_per_position_whatever_the_graph():
    """The generator moves by the number of positions, so that later draws do not hang on who had neighbours."""
    after = []
    for some in (set(), {(0, 1), (1, 2)}):
        rng = np.random.default_rng(5)
        draw_one(np.array([0, 1, 2]), as_edges(some), rng)
        after.append(rng.random())
    assert after[0] == after[1]


def test_a_draw_knows_its_size():
    """Bytes are those of its arrays: two of 8-byte integers and a square mask."""
    draw = draw_one(np.array([0, 0, 1]), as_edges({(0, 1), (1, 2)}), np.random.default_rng(0))
    assert draw.nbytes == 3 * 8 + 3 * 8 + 9
