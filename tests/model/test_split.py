"""Which queries are held out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.model.split import held_out

ids = st.lists(st.text(max_size=8), max_size=12)


@given(some=ids, others=ids, share=st.floats(0, 1))
def test_the_choice_depends_on_the_id_alone(some: list[str], others: list[str], share: float):
    """Whatever stands before or after it, an id is held out or it is not."""
    marks = held_out(some, share).tolist()
    assert held_out([*others, *some, *others], share)[len(others) :][: len(some)].tolist() == marks
    assert marks == [bool(held_out([one], share)[0]) for one in some]


@given(some=ids, share=st.floats(0, 1), larger=st.floats(0, 1))
def test_a_larger_share_holds_out_more_of_the_same(some: list[str], share: float, larger: float):
    """What is held out at one share is held out at every larger one; 0 is none and 1 is all."""
    low, high = sorted((share, larger))
    assert (held_out(some, low) <= held_out(some, high)).all()
    assert not held_out(some, 0).any()
    assert held_out(some, 1).all()


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5])
def test_the_share_is_about_right(share: float):
    """Of 20,000 ids in sequence the share is met within four standard deviations."""
    found = held_out((f"q{n}" for n in range(20_000)), share).mean()
    assert abs(found - share) < 4 * (share * (1 - share) / 20_000) ** 0.5
