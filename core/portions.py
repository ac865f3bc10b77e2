"""Cuts work on many rows of different size into portions that memory holds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt


def portions(size_N: npt.NDArray[np.int64], most: int) -> Iterator[tuple[int, int]]:
    """Yield (first, end) of successive rows whose sizes add up to ``most`` at the utmost, or of a single row."""
    end_N = np.cumsum(size_N)
    first = 0
    while first < len(size_N):
        before = end_N[first - 1] if first else 0
        end = max(first + 1, int(np.searchsorted(end_N, before + most, side="right")))
        yield first, end
        first = end
