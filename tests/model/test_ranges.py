"""Ranges laid end to end."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.model.ranges import joined_ranges


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 6)), max_size=12))
def test_joined_ranges_equal_the_ranges_one_by_one(some: list[tuple[int, int]]):
    """The result is each range in turn; an empty one leaves no trace."""
    first, count = np.array(some, dtype=np.int64).reshape(-1, 2).T
    assert joined_ranges(first, count).tolist() == [n for start, size in some for n in range(start, start + size)]
