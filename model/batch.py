"""One batch as rows: queries, a clicked item each, one anchor per relation and side, and what is known.

Shape letters: B queries of the batch, H distinct hard items, N hard items that somebody clicked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from recsys.graph.schema import Label
from recsys.model.draw import Draw

Rows = npt.NDArray[np.int64]
Side = Literal["query", "item"]


@dataclass(frozen=True)
class Term:
    """One graph term of a batch: a relation seen from the queries or from their items.

    Attributes:
        relation: Name of the relation.
        side: Whether queries or items drew.
        anchor: Label of the drawn nodes.
        draw: What was drawn.
    """

    relation: str
    side: Side
    anchor: Label
    draw: Draw


@dataclass(frozen=True)
class Hard:
    """Hard negatives: further columns of the batch, for every row.

    Attributes:
        item_H: Distinct items; none is the clicked item of a row.
        known_BH: True where item h is a known click of query i or excluded; never used as a negative.
        position_N: Positions in ``item_H`` of the items that a query was drawn for.
        clicker_N: Row of a training query that clicked the item, which the item is composed with.
    """

    item_H: Rows
    known_BH: npt.NDArray[np.bool_]
    position_N: Rows
    clicker_N: Rows

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.item_H.nbytes + self.known_BH.nbytes + self.position_N.nbytes + self.clicker_N.nbytes


@dataclass(frozen=True)
class Batch:
    """What one step needs, as rows; the collator looks the texts up.

    Attributes:
        query_B: Query rows, in plan order.
        item_B: The clicked item drawn for each query.
        known_BB: True where item j is a known click of query i or excluded; never used as a negative.
        terms: Graph terms in which at least two rows drew.
        neighbour: For each row another training query that clicked its item; None without composition.
        hard: Hard negatives; None without them.
    """

    query_B: Rows
    item_B: Rows
    known_BB: npt.NDArray[np.bool_]
    terms: Sequence[Term]
    neighbour: Draw | None = None
    hard: Hard | None = None

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        arrays = self.query_B.nbytes + self.item_B.nbytes + self.known_BB.nbytes
        further = sum(part.nbytes for part in (self.neighbour, self.hard) if part)
        return arrays + further + sum(term.draw.nbytes for term in self.terms)
