"""What is computed once and kept in a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.model.kept import kept, last_turn


def test_an_array_is_made_once(tmp_path: Path):
    """The second call reads what the first one made."""
    path = tmp_path / "some.npy"
    assert kept(path, lambda: np.array([3, 1])).tolist() == [3, 1]
    assert kept(path, lambda: np.array([9])).tolist() == [3, 1]
    assert [file.name for file in tmp_path.iterdir()] == ["some.npy"]


def test_what_was_broken_off_is_made_again(tmp_path: Path):
    """A file counts only when it is whole."""

    def broken() -> np.ndarray:
        raise KeyboardInterrupt

    path = tmp_path / "some.npy"
    with pytest.raises(KeyboardInterrupt):
        kept(path, broken)
    assert not path.exists()
    assert kept(path, lambda: np.array([5])).tolist() == [5]


@given(first=st.integers(0, 20), every=st.integers(1, 9), later=st.integers(0, 50))
def test_the_last_turn_equals_counting(first: int, every: int, later: int):
    """It is the highest of first, first + every, … that is not after the epoch."""
    epoch = first + later
    assert last_turn(epoch, first, every) == max(range(first, epoch + 1, every))
