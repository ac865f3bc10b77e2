"""Where arrays live that grow with the graph: in files, so that a training needs no more memory for a larger one.

The files have no name and go with their arrays. What is mapped into memory is in the system's page cache, which gives
way when something else needs the room.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedRandom
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.core.errors import SetupError

Array = npt.NDArray[Any]
Vectors = npt.NDArray[np.float32]

ROWS = 16_384
"Pairs, or rows of vectors, that are worked on at once."
MADE_AT_ONCE = 4096
"Rows of vectors that are made at once: what is freed of each in between stays with the process for a while."


class UnwritableError(SetupError):
    """The disk of the workspace does not take our working files."""

    def __init__(self, directory: Path | None, reason: OSError) -> None:
        self.directory = directory
        super().__init__(
            f"cannot write working files in {directory}: {reason.strerror or reason}; make room there, or set "
            "workspace (RECSYS_WORKSPACE) to a directory on another disk, and run the command again"
        )


@dataclass(frozen=True)
class Scratch:
    """Makes arrays.

    Attributes:
        directory: Of their files, on a disk; None makes them in memory.
    """

    directory: Path | None = None

    def zeros(self, shape: tuple[int, ...], kind: npt.DTypeLike) -> Array:
        """Return an array of zeros to be filled."""
        size = math.prod(shape) * np.dtype(kind).itemsize
        if self.directory is None or not size:
            return np.zeros(shape, kind)
        with _explained(self.directory), _file(self.directory) as file:
            os.posix_fallocate(file.fileno(), 0, size)  # a full disk is noticed here, and not by a signal while writing
            return np.asarray(np.memmap(file, kind, "r+", shape=shape))

    def column(self, kind: npt.DTypeLike) -> Column:
        """Return a column of numbers to be written piece by piece."""
        return Column(self, kind)

    def by_rows(self, shape: tuple[int, ...], make: Callable[[slice], Vectors]) -> Vectors:
        """Return vectors that are made :data:`MADE_AT_ONCE` rows at a time, float32.

        Args:
            shape: Of all of them.
            make: Returns those of a slice.
        """
        column = self.column(np.float32)
        for some in pieces(shape[0], MADE_AT_ONCE):
            column.append(make(some))
        return column.whole().reshape(shape)


class Column:
    """A column of numbers whose length is known once all of it is written.

    Writing to a file is cheaper than to its pages in memory, of which the system has to hear one by one.

    Args:
        scratch: Where it lives.
        kind: Of the numbers.
    """

    def __init__(self, scratch: Scratch, kind: npt.DTypeLike) -> None:
        self._kind = np.dtype(kind)
        self._pieces: list[Array] = []
        self._directory = scratch.directory
        self._file = _file(scratch.directory) if scratch.directory else None
        self._length = 0

    def append(self, numbers: npt.ArrayLike) -> None:
        """Write further numbers, of an array row by row."""
        piece = np.ascontiguousarray(numbers, self._kind).reshape(-1)
        self._length += len(piece)
        if self._file is None:
            self._pieces.append(piece)
            return
        with _explained(self._directory):
            self._file.write(piece.data)

    def whole(self) -> Array:
        """Return the column; nothing can be appended any more."""
        if self._file is None:
            return np.concatenate([np.empty(0, self._kind), *self._pieces])
        with self._file as file:
            with _explained(self._directory):
                file.flush()
            if not self._length:
                return np.empty(0, self._kind)
            return np.asarray(np.memmap(file, self._kind, "r+", shape=(self._length,)))


MEMORY = Scratch()
"For what is small."


def pieces(rows: int, size: int | None = None) -> Iterator[slice]:
    """Yield slices of ``size`` rows, :data:`ROWS` unless told, which together are all of them."""
    size = size or ROWS
    for start in range(0, rows, size):
        yield slice(start, min(start + size, rows))


def _file(directory: Path) -> BufferedRandom:
    return TemporaryFile(dir=directory)


@contextmanager
def _explained(directory: Path | None) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UnwritableError(directory, error) from error
