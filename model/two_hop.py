"""Queries that share an item: two hops over the clicks, as one more relation (RAMEN's R_x with queries as anchors).

The clicks are read from the graph once, in packed pages; drawing from them in memory keeps an item with many clicks
from being fetched with every batch that holds it.

Shape letters: B rows of the batch, H hard items, N rows or items of them that have such a neighbour.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from recsys.model.clicks import Clicks
from recsys.model.draw import Draw
from recsys.model.ranges import joined_ranges

Rows = npt.NDArray[np.int64]


class TwoHop:
    """Draws, for a query and the item drawn for it, another query that clicked this item.

    Args:
        clicks: Clicks of the training queries: a held-out query is never drawn.
    """

    def __init__(self, clicks: Clicks) -> None:
        clicker = clicks.scratch.column(np.int64)
        for place in clicks.by_item():
            clicker.append(clicks.query[place])
        self._clicker = clicker.whole()
        self._of_item = np.append(0, np.cumsum(clicks.per_item()[1]))
        self._query, self._item = clicks.query, clicks.item

    def draw(self, query_B: Rows, item_B: Rows, rng: np.random.Generator) -> Draw:
        """Draw uniformly among the other queries of each row's item; rows whose item has none take no part.

        Args:
            query_B: Query rows.
            item_B: The clicked item drawn for each.
            rng: Used once per row, in order.
        """
        first_B, end_B = self._of_item[item_B], self._of_item[item_B + 1]
        others_B = end_B - first_B - 1
        pick_B = first_B + (rng.random(len(query_B)) * others_B).astype(np.int64)
        position_N = np.flatnonzero(others_B > 0)
        drawn_N = self._clicker[pick_B[position_N]]
        # The query itself stands among the clickers; whoever picks it takes the last one, which nobody else can pick.
        itself_N = drawn_N == query_B[position_N]
        drawn_N[itself_N] = self._clicker[end_B[position_N][itself_N] - 1]
        return Draw(position_N, drawn_N, self._share(query_B[position_N], drawn_N))

    def draw_clickers(self, item_H: Rows, rng: np.random.Generator) -> tuple[Rows, Rows]:
        """Draw uniformly among the queries that clicked each item; items that nobody clicked take no part.

        Args:
            item_H: Item rows.
            rng: Used once per item, in order.

        Returns:
            Positions in ``item_H``, and a query row for each.
        """
        first_H, end_H = self._of_item[item_H], self._of_item[item_H + 1]
        pick_H = first_H + (rng.random(len(item_H)) * (end_H - first_H)).astype(np.int64)
        position_N = np.flatnonzero(end_H > first_H)
        return position_N, self._clicker[pick_H[position_N]]

    def _share(self, rows_N: Rows, drawn_N: Rows) -> npt.NDArray[np.bool_]:
        """Return where row i and drawn query j have an item in common."""
        row_E, row_item_E = self._edges(rows_N)
        column_F, column_item_F = self._edges(drawn_N)
        order = np.argsort(column_item_F, kind="stable")
        column_F, column_item_F = column_F[order], column_item_F[order]
        first_E = np.searchsorted(column_item_F, row_item_E, side="left")
        count_E = np.searchsorted(column_item_F, row_item_E, side="right") - first_E
        share_NN = np.zeros((len(rows_N), len(drawn_N)), dtype=bool)
        share_NN[np.repeat(row_E, count_E), column_F[joined_ranges(first_E, count_E)]] = True
        return share_NN

    def _edges(self, rows_N: Rows) -> tuple[Rows, Rows]:
        """Return positions in ``rows_N`` and the items that these queries clicked."""
        first_N, end_N = (np.searchsorted(self._query, rows_N, side=side) for side in ("left", "right"))
        count_N = end_N - first_N
        return np.repeat(np.arange(len(rows_N)), count_N), self._item[joined_ranges(first_N, count_N)]
