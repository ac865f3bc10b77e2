"""Integer ranges laid end to end, which gather the parts of a packed array in one step."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]


def joined_ranges(first: Rows, count: Rows) -> Rows:
    """Return ``count[k]`` integers from ``first[k]`` on, for every k in turn."""
    before = np.cumsum(count) - count
    return np.arange(count.sum()) - np.repeat(before, count) + np.repeat(first, count)
