"""Whether a recipe spares the slices of the items."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.model.marks import AS_NEW, SLICES, Floats, Marks

NONE = dict.fromkeys([*SLICES, AS_NEW], np.empty(0))


def marks(**slices: Floats) -> Marks:
    """Return marks of which these slices alone have queries."""
    return Marks(0, 0, 0, {**NONE, **slices})


@pytest.mark.parametrize("name", SLICES)
def test_a_slice_is_spared_within_noise(name: str):
    """Of 100 queries 10 lose: mean 10, error √(1000/100) = 3.16; where 5 lose, 5 and 2.24; and 3 gain, 2 and 2.83."""
    everything = marks(**{name: np.full(100, 100.0)})
    fewer = marks(**{name: np.where(np.arange(100) < 10, 0.0, 100.0)})
    assert fewer.shortfall(everything) == pytest.approx(10 - 2 * 3.162278)
    before, after = np.zeros(100), np.zeros(100)
    before[:5], after[5:8] = 100, 100
    assert marks(**{name: after}).shortfall(marks(**{name: before})) == 0
    assert marks(**{name: np.zeros(100)}).shortfall(marks(**{name: before})) == pytest.approx(5 - 2 * 2.236068)


def test_what_slices_fall_short_is_added_up():
    """Of items ranked as new 50 are lost, whose error is 5, and of the head 50; the tail gains."""
    before = marks(as_new=np.full(100, 50.0), head=np.full(100, 50.0), tail=np.zeros(100))
    after = marks(as_new=np.zeros(100), head=np.zeros(100), tail=np.full(100, 50.0))
    assert after.shortfall(before) == pytest.approx(2 * (50 - 2 * 5))


def test_a_slice_of_few_queries_says_nothing():
    """Whatever 29 queries lose, and where there are none."""
    assert marks(tail=np.zeros(29)).shortfall(marks(tail=np.full(29, 100.0))) == 0
    assert marks(tail=np.zeros(30)).shortfall(marks(tail=np.full(30, 100.0))) > 0
    assert marks().shortfall(marks()) == 0
    assert marks().by_slice == dict.fromkeys(NONE, 0.0)


def test_the_worst_slice_counts():
    """Tail gains 10 and head loses 5; slices of fewer than 30 queries do not count."""
    before = marks(never=np.full(29, 100.0), tail=np.full(50, 20.0), head=np.full(100, 60.0))
    after = marks(never=np.zeros(29), tail=np.full(50, 30.0), head=np.full(100, 55.0))
    assert after.worst_loss(before) == pytest.approx(5)
    assert before.worst_loss(after) == pytest.approx(10)
    assert marks().worst_loss(marks()) == before.worst_loss(before) == 0
