"""Paired bootstrap intervals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.model.bootstrap import Difference, paired_difference


def test_a_difference_that_is_the_same_everywhere_has_no_width():
    """Hand-worked: 0.75 − 0.5 on every query is 0.25 in every resample."""
    found = paired_difference(np.full(7, 0.75), np.full(7, 0.5), np.random.default_rng(0))
    assert found == Difference(0.25, 0.25, 0.25)
    assert found.verdict == "ahead"


def test_the_interval_is_that_of_the_normal_approximation():
    """Of many queries the bootstrap gives the textbook interval: mean ± 1.96 · s / √B."""
    rng = np.random.default_rng(1)
    ours, theirs = rng.random(4000), rng.random(4000)
    found = paired_difference(ours, theirs, rng)
    half = 1.96 * np.std(ours - theirs) / np.sqrt(4000)
    assert found.mean == pytest.approx(np.mean(ours - theirs))
    assert found.high - found.low == pytest.approx(2 * half, rel=0.1)


def test_pairing_takes_out_what_is_hard_for_both():
    """Two systems whose values differ by a constant are told apart however the queries vary."""
    hard = np.random.default_rng(2).normal(0, 100, 50)
    assert paired_difference(hard + 0.01, hard, np.random.default_rng(3)).verdict == "ahead"


@settings(max_examples=30)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.integers(0, 2**32 - 1))
def test_swapping_the_systems_mirrors_the_interval(values: list[float], seed: int):
    """With the same seed, theirs against ours is the negative; the interval holds values between the extremes."""
    ours, theirs = np.array(values), np.array(values)[::-1]
    one = paired_difference(ours, theirs, np.random.default_rng(seed), resamples=200)
    other = paired_difference(theirs, ours, np.random.default_rng(seed), resamples=200)
    assert (other.low, other.high) == pytest.approx((-one.high, -one.low))
    difference = ours - theirs
    assert difference.min() - 1e-12 <= one.low <= one.high <= difference.max() + 1e-12
