"""Whether one system is better than another on the same queries: paired bootstrap over queries.

Shape letters: B queries, S resamples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

RESAMPLES = 2000
LEVEL = 0.95
_BLOCK = 100
"Resamples made at once, so that memory stays at B × 100 numbers."


@dataclass(frozen=True)
class Difference:
    """How far a system is ahead of another.

    Attributes:
        mean: Mean difference over the queries.
        low: Lower end of the interval.
        high: Upper end.
    """

    mean: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """``ahead``, ``behind``, or ``level`` where the interval holds 0."""
        if self.low > 0:
            return "ahead"
        return "behind" if self.high < 0 else "level"


def paired_difference(
    ours_B: Floats, theirs_B: Floats, rng: np.random.Generator, *, resamples: int = RESAMPLES, level: float = LEVEL
) -> Difference:
    """Return the mean of ``ours_B − theirs_B`` and its percentile interval (Efron and Tibshirani, 1993, chapter 13).

    Queries are drawn with replacement, each with both of its values, so that hard queries are hard for both.

    Args:
        ours_B: A figure per query.
        theirs_B: The other system's, of the same queries; at least one.
        rng: Draws the queries.
        resamples: S.
        level: Share of resamples inside the interval, between 0 and 1.
    """
    difference_B = np.asarray(ours_B, np.float64) - np.asarray(theirs_B, np.float64)
    size = len(difference_B)
    means_S = np.concatenate(
        [
            difference_B[rng.integers(0, size, (min(_BLOCK, resamples - start), size))].mean(axis=1)
            for start in range(0, resamples, _BLOCK)
        ]
    )
    low, high = np.quantile(means_S, [(1 - level) / 2, (1 + level) / 2])
    return Difference(float(difference_B.mean()), float(low), float(high))
