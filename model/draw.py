"""One draw per row from a page of neighbours, and the mask of what is known (RAMEN, arXiv 2402.18434, section 3).

Shape letters: B rows of the batch, N rows of it that have a neighbour.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from recsys.graph.pages import Edges

Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Draw:
    """One neighbour for each row that has any.

    Attributes:
        position_N: Positions in the batch of the rows that drew.
        drawn_N: Row of the drawn neighbour.
        known_NN: True where the neighbour drawn in column j is any known neighbour of row i, so that it is never
            used as a negative of row i. The diagonal is True.
    """

    position_N: Rows
    drawn_N: Rows
    known_NN: Mask

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.position_N.nbytes + self.drawn_N.nbytes + self.known_NN.nbytes


def pick_one(rows_B: Rows, edges: Edges, rng: np.random.Generator) -> tuple[Rows, Rows]:
    """Draw one neighbour per row, uniformly among its edges.

    Args:
        rows_B: Rows of the batch; a row may stand in several positions.
        edges: All edges of those rows, sorted by source and target, so that the draw does not depend on the order in
            which the graph stores them.
        rng: Used once per position, in order.

    Returns:
        The positions of the rows that have an edge, and one neighbour for each.
    """
    first_B = np.searchsorted(edges.source, rows_B, side="left")
    count_B = np.searchsorted(edges.source, rows_B, side="right") - first_B
    pick_B = first_B + (rng.random(len(rows_B)) * count_B).astype(np.int64)
    position_N = np.flatnonzero(count_B)
    return position_N, edges.target[pick_B[position_N]]


def without_own(draw: Draw, rows_B: Rows) -> Draw:
    """Mask each row's own node too, for a relation between nodes of one label: a row is no negative of itself."""
    own_NN = rows_B[draw.position_N][:, None] == draw.drawn_N[None, :]
    return replace(draw, known_NN=draw.known_NN | own_NN)


def known(rows_N: Rows, drawn_M: Rows, edges: Edges) -> Mask:
    """Return the mask of shape (N, M) that is True where ``drawn_M[j]`` is a neighbour of ``rows_N[i]``."""
    columns, column_M = np.unique(drawn_M, return_inverse=True)
    sources, source_N = np.unique(rows_N, return_inverse=True)
    known_SC = np.zeros((len(sources), len(columns)), dtype=bool)
    source_E = np.searchsorted(sources, edges.source).clip(max=max(len(sources) - 1, 0))
    column_E = np.searchsorted(columns, edges.target).clip(max=max(len(columns) - 1, 0))
    if len(sources) and len(columns):
        hit_E = (sources[source_E] == edges.source) & (columns[column_E] == edges.target)
        known_SC[source_E[hit_E], column_E[hit_E]] = True
    return known_SC[source_N][:, column_M]
