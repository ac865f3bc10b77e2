"""Shares of votes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.core.votes import shares

SIMILARITIES = st.lists(st.floats(-1, 1), min_size=1, max_size=50)


def test_shares_worked_by_hand():
    """Similarities 0.9 and 0.8 differ by one temperature: e/(e + 1) = 0.731059 and 1/(e + 1) = 0.268941."""
    np.testing.assert_allclose(shares([0.9, 0.8]), [0.731059, 0.268941], atol=1e-6)


@given(SIMILARITIES, st.floats(-1, 1))
def test_shares_make_one_whatever_is_added_to_all(similarities: list[float], constant: float):
    """The shares of all voters sum to 1, and the last coordinate that all queries have in common changes nothing."""
    found = shares(similarities)
    assert found.sum() == pytest.approx(1)
    np.testing.assert_allclose(shares(np.array(similarities) + constant), found, atol=1e-9)
