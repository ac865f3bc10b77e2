"""Arrays in files or in memory."""

from __future__ import annotations

import errno
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from recsys.model import scratch as module
from recsys.model.scratch import MEMORY, Scratch, UnwritableError, pieces


@pytest.fixture(params=["memory", "disk"])
def scratch(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scratch:
    """Both kinds, in pieces of four rows."""
    monkeypatch.setattr(module, "ROWS", 4)
    monkeypatch.setattr(module, "MADE_AT_ONCE", 4)
    return MEMORY if request.param == "memory" else Scratch(tmp_path)


def test_a_column_is_what_was_written(scratch: Scratch):
    """Pieces stand one after the other, in the kind asked for; a column without any is empty."""
    column = scratch.column(np.int32)
    for piece in (np.arange(3), [], [7]):
        column.append(piece)
    whole = column.whole()
    assert (whole.tolist(), whole.dtype) == ([0, 1, 2, 7], np.int32)
    assert scratch.column(np.int64).whole().tolist() == []


def test_arrays_are_zeros_that_can_be_written(scratch: Scratch):
    """Of any shape, an empty one too; one array does not see what is written to another."""
    one, other = scratch.zeros((3, 2), np.float32), scratch.zeros((3, 2), np.float32)
    one[1] = 5
    assert one.sum() == 10
    assert not other.any()
    assert scratch.zeros((0, 2), np.float32).shape == (0, 2)


def test_vectors_are_made_piece_by_piece(scratch: Scratch):
    """Whatever the pieces, all rows are there, each asked for once."""
    given, asked = np.arange(18, dtype=np.float32).reshape(9, 2), []

    def make(some: slice) -> np.ndarray:
        asked.append(some)
        return given[some] + 1

    np.testing.assert_array_equal(scratch.by_rows((9, 2), make), given + 1)
    assert asked == list(pieces(9)) == [slice(0, 4), slice(4, 8), slice(8, 9)]


@pytest.mark.parametrize("call", ["zeros", "column"])
def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str):
    """Before anything is written to a map, or while a column is: where, why and what to do."""
    scratch = Scratch(tmp_path)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module.os, "posix_fallocate", full)
    column = scratch.column(np.int64)
    column._file = SimpleNamespace(write=full)  # type: ignore[assignment]
    with pytest.raises(UnwritableError, match=r"No space left on device; make room there, or set workspace"):
        scratch.zeros((3,), np.int64) if call == "zeros" else column.append([1])


def test_files_have_no_names(tmp_path: Path):
    """Nothing is left in the directory, also while the array is in use."""
    array = Scratch(tmp_path).zeros((3,), np.int64)
    array[0] = 1
    assert list(tmp_path.iterdir()) == []
    assert array.tolist() == [1, 0, 0]
