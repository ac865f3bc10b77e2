"""Percentiles, heads and tails of whole numbers over nodes."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from recsys.graph.histogram import Histogram


def test_figures_by_hand():
    """Of 1 1 1 2 3 4 4 20: half of eight do not exceed 2; the top 20 %, two nodes, have 24 of 36."""
    histogram = Histogram({4: 2, 1: 3, 20: 1, 2: 1, 3: 1})
    assert (histogram.count, histogram.total) == (8, 36)
    assert [histogram.percentile(p) for p in (50, 51, 88, 99, 100)] == [2, 3, 20, 20, 20]
    assert histogram.top(20) == 24
    assert histogram.below(3) == 4


def test_nothing_has_no_figures():
    """Without nodes every figure is 0."""
    nothing = Histogram({})
    assert (nothing.count, nothing.total, nothing.percentile(50), nothing.top(1), nothing.below(9)) == (0,) * 5


@given(st.lists(st.integers(0, 30), min_size=1), st.integers(1, 100))
def test_figures_equal_those_of_the_list(values: list[int], percent: int):
    """A histogram says the same as the sorted values themselves."""
    histogram = Histogram(Counter(values))
    ranked = sorted(values)
    taken = -(-percent * len(values) // 100)
    assert histogram.percentile(percent) == ranked[taken - 1]
    assert histogram.top(percent) == sum(ranked[-taken:])
