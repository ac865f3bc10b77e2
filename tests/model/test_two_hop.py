"""Queries that share an item."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.model.clicks import Clicks
from recsys.model.two_hop import TwoHop

pairs = st.sets(st.tuples(st.integers(0, 9), st.integers(0, 6)), min_size=1, max_size=40)


def as_clicks(some: set[tuple[int, int]]) -> Clicks:
    """Return the pairs as they are read from the graph."""
    query, item = np.array(sorted(some)).T
    return Clicks(query, item, np.ones_like(query), 10, 7)


@given(some=pairs, seed=st.integers(0, 2**32), data=st.data())
def test_a_drawn_query_clicked_the_same_item(some: set[tuple[int, int]], seed: int, data: st.DataObject):
    """Exactly the rows whose item has another query draw one of those, and the mask is True where an item is shared."""
    asked = np.array(data.draw(st.lists(st.sampled_from(sorted(some)), min_size=1, max_size=12)))
    draw = TwoHop(as_clicks(some)).draw(asked[:, 0], asked[:, 1], np.random.default_rng(seed))
    others = [{q for q, i in some if i == item} - {query} for query, item in asked]
    assert draw.position_N.tolist() == [p for p, some_others in enumerate(others) if some_others]
    assert all(drawn in others[p] for p, drawn in zip(draw.position_N, draw.drawn_N, strict=True))
    items = {query: {i for q, i in some if q == query} for query in range(10)}
    expected = [[bool(items[asked[p, 0]] & items[drawn]) for drawn in draw.drawn_N] for p in draw.position_N]
    assert draw.known_NN.tolist() == expected
    assert draw.known_NN.diagonal().all()


def test_the_draw_among_other_queries_is_uniform():
    """Over 12,000 draws from 6 others, χ² stays below 20.5, the 0.1 % point at 5 degrees of freedom."""
    clicks = as_clicks({(query, 3) for query in range(7)})
    for query in (0, 3, 6):
        rows = np.full(12_000, query)
        drawn = TwoHop(clicks).draw(rows, np.full(12_000, 3), np.random.default_rng(1)).drawn_N
        counts = np.delete(np.bincount(drawn, minlength=7), query)
        assert counts.sum() == 12_000
        assert ((counts - 2000) ** 2 / 2000).sum() < 20.5


@given(some=pairs, seed=st.integers(0, 2**32))
def test_a_drawn_clicker_clicked_the_item(some: set[tuple[int, int]], seed: int):
    """Exactly the items that somebody clicked draw a query, and it is one of those that did."""
    items = np.array([6, *range(7)])
    position, query = TwoHop(as_clicks(some)).draw_clickers(items, np.random.default_rng(seed))
    clicked = {item for _, item in some}
    assert position.tolist() == [p for p, item in enumerate(items) if item in clicked]
    assert all((q, items[p]) in some for p, q in zip(position, query, strict=True))
