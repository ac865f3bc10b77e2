"""The votes of the nearest training queries, the same while measuring and while serving.

What was clicked for queries like this one counts beside the item's own vector ("Retrieval-augmented Encoders for
Extreme Multi-label Text Classification", 2025). An item's final score is its own score + w · the shares of the voters
that clicked it.

Shape letters: M nearest training queries.
"""

from __future__ import annotations

from itertools import chain
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.core.run import Table

NEIGHBOURS: Final = 50
"Training queries that vote, at most."
TEMPERATURE: Final = 0.1
"Of the softmax over their similarities."
BALLOT: Final = 50
"Items that one training query votes for, at most: those with the most clicks, the lower row first among equals."

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


def ballots_of_table(queries: Table) -> tuple[Rows, Rows, Rows]:
    """Return what a run's queries vote for: query rows, item rows and clicks of each pair, sorted by query."""
    size = [len(payload["items"]) for payload in queries.payloads]
    item, clicks = (
        np.fromiter(chain.from_iterable(payload[name] for payload in queries.payloads), np.int64)
        for name in ("items", "counts")
    )
    return np.repeat(np.arange(len(size)), size), item, clicks


def shares(similarity_M: npt.ArrayLike) -> Floats:
    """Return softmax(similarity / 0.1): the share of each voter; adding a constant to all similarities changes nothing.

    Args:
        similarity_M: Of the nearest training queries, one or more of them.
    """
    scaled_M = np.asarray(similarity_M, np.float64) / TEMPERATURE
    weight_M = np.exp(scaled_M - scaled_M.max(axis=-1, keepdims=True))
    result: Floats = weight_M / weight_M.sum(axis=-1, keepdims=True)
    return result
