"""Which held-out queries are measured, where there are more of them than is cheap.

Shape letters: G gold pairs, Q held-out queries.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recsys.model.marks import in_slices

Rows = npt.NDArray[np.int64]

LIMIT = 5000
"Held-out queries that figures are means over, at most."
ENOUGH = 500
"Queries of each slice of the items, so far as there are any, that what the slice loses is seen by."


def measured(position_G: Rows, degree_G: Rows, n_queries: int, limit: int = LIMIT) -> npt.NDArray[np.bool_]:
    """Mark the queries that are measured: the first ones, and the next of each slice that these show too seldom.

    Rare items may have one held-out click in a hundred: too few among the first queries to say what a recipe costs
    them. What further queries find counts for the slices alone.

    Args:
        position_G: Query of each gold pair, from 0.
        degree_G: Distinct training queries that clicked the pair's item.
        n_queries: Q.
        limit: First queries.

    Returns:
        Shape (Q,).
    """
    measured_Q = np.arange(n_queries) < limit
    for inside_G in in_slices(degree_G).values():
        showing = np.unique(position_G[inside_G])
        missing = max(0, ENOUGH - np.count_nonzero(measured_Q[showing]))
        measured_Q[showing[~measured_Q[showing]][:missing]] = True
    return measured_Q
