"""Work in portions."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.core.portions import portions


@given(st.lists(st.integers(0, 9), max_size=20), st.integers(0, 20))
def test_portions_are_all_rows_and_no_more_than_fits(sizes: list[int], most: int):
    """From the first row to the last; only a single row may be larger than what fits, and none has room left."""
    found = list(portions(np.array(sizes, np.int64), most))
    assert [row for first, end in found for row in range(first, end)] == list(range(len(sizes)))
    for first, end in found:
        assert end - first == 1 or sum(sizes[first:end]) <= most
        assert end == len(sizes) or sum(sizes[first : end + 1]) > most


def test_portions_worked_by_hand():
    """Of the sizes 3, 4, 9, 1 and 2 with room for 7: two rows, the large one, two rows."""
    assert list(portions(np.array([3, 4, 9, 1, 2]), 7)) == [(0, 2), (2, 3), (3, 5)]
