"""Whether a recipe spares the slices of the items."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.model.marks import SLICES, Floats, Marks

NONE = dict.fromkeys(SLICES, np.empty(0))


def marks(**slices: Floats) -> Marks:
    """Return marks of which these slices alone have queries."""
    return Marks(0, 0, 0, {**NONE, **slices})


@pytest.mark.parametrize("name", SLICES)
def test_a_slice_is_spared_within_noise(name: str):
    """Of 100 queries 10 lose: mean 10, error √(1000/100) = 3.16; where 5 lose, 5 and 2.24; and 3 gain, 2 and 2.83."""
    everything = np.full(100, 100.0)
    assert not marks(**{name: np.where(np.arange(100) < 10, 0.0, 100.0)}).spares_slices(marks(**{name: everything}))
    before, after = np.zeros(100), np.zeros(100)
    before[:5], after[5:8] = 100, 100
    assert marks(**{name: after}).spares_slices(marks(**{name: before}))
    assert not marks(**{name: np.zeros(100)}).spares_slices(marks(**{name: before}))


def test_a_slice_of_few_queries_says_nothing():
    """Whatever 29 queries lose, and where there are none."""
    assert marks(tail=np.zeros(29)).spares_slices(marks(tail=np.full(29, 100.0)))
    assert not marks(tail=np.zeros(30)).spares_slices(marks(tail=np.full(30, 100.0)))
    assert marks().spares_slices(marks())
    assert marks().by_slice == dict.fromkeys(SLICES, 0.0)


def test_the_worst_slice_counts():
    """Tail gains 10 and head loses 5; slices of fewer than 30 queries do not count."""
    before = marks(never=np.full(29, 100.0), tail=np.full(50, 20.0), head=np.full(100, 60.0))
    after = marks(never=np.zeros(29), tail=np.full(50, 30.0), head=np.full(100, 55.0))
    assert after.worst_loss(before) == pytest.approx(5)
    assert before.worst_loss(after) == pytest.approx(10)
    assert marks().worst_loss(marks()) == before.worst_loss(before) == 0
