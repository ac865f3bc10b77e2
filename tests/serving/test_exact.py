"""Exact search, and how much of it an index finds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.serving import exact
from recsys.serving.exact import best_rows, recall

ITEMS = np.array([[1, 0], [0.8, 0.6], [0, 1], [0.8, 0.6]], np.float32)
ASKED = np.array([[1, 0], [0, 1], [0, 0]], np.float32)


def test_rows_worked_by_hand() -> None:
    """Best first; a zero vector finds nothing, and more than there is gives all."""
    first, second, nothing = best_rows(ASKED, ITEMS, 9)
    assert (first[0], set(first[1:3]), first[3]) == (0, {1, 3}, 2)
    assert (second[0], set(second[1:3]), second[3]) == (2, {1, 3}, 0)
    assert nothing == []


def test_recall_worked_by_hand() -> None:
    """Rows 1 and 3 are equally good, so either will do; the zero vector does not count."""
    assert recall([[0, 3], [2, 0], []], ASKED, ITEMS, 2) == pytest.approx((1 + 0.5) / 2)
    assert recall([[0, 0], [2, 2], []], ASKED, ITEMS, 2) == pytest.approx(0.5)


@given(st.integers(1, 12), st.integers(1, 20), st.integers(1, 15), st.integers(0, 9))
def test_exact_search_recalls_everything(queries: int, items: int, k: int, seed: int) -> None:
    """What exact search returns is all there is to find, whatever the blocks."""
    rng = np.random.default_rng(seed)
    asked, there = (rng.integers(-2, 3, (n, 3)).astype(np.float32) for n in (queries, items))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exact, "SCORES", 30)
        assert recall(best_rows(asked, there, k), asked, there, k) == 1
