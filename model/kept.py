"""What is computed once and kept in a file: a training that goes on must find what it found before."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.model.processes import from_first


def kept(path: Path, make: Callable[[], npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """Return the array in ``path``, mapped into memory, made first where there is none; the file appears when whole.

    Of processes that train together the first one makes it, and the others wait.
    """

    def written() -> Path:
        if not path.exists():
            unfinished = path.with_suffix(".partial")
            with unfinished.open("wb") as file:
                np.save(file, make())
            os.replace(unfinished, path)
        return path

    array: npt.NDArray[Any] = np.load(from_first(written), mmap_mode="r")
    return array


def last_turn(epoch: int, first: int, every: int) -> int:
    """Return the latest epoch, up to ``epoch``, among ``first``, ``first + every`` and so on."""
    return epoch - (epoch - first) % every
