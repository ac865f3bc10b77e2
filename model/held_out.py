"""Queries that are held out of training to measure it, and what they are measured with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

from recsys.graph.schema import Label
from recsys.model.clicks import Clicks
from recsys.model.composition import Vectors
from recsys.model.metrics import Gold, propensities
from recsys.model.pairs import PairsByQuery
from recsys.model.sample import LIMIT, measured
from recsys.model.scratch import MEMORY, Scratch
from recsys.model.texts import Texts

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Encoded:
    """Vectors of one moment of the encoder.

    Attributes:
        items: E(z) of every item row.
        queries: E(x) of every query row.
        asked: E(x) of the held-out queries, where they are not rows of the graph.
        anchors: A(z) of every item row, from :func:`recsys.model.anchors.mean_of_anchors`; None without.
        scratch: Where vectors live that are made of these.
    """

    items: Vectors
    queries: Vectors
    asked: Vectors | None = None
    anchors: Vectors | None = None
    scratch: Scratch = MEMORY


@dataclass(frozen=True)
class HeldOut:
    """Held-out queries, what they clicked, and the training clicks that items are composed from.

    Attributes:
        texts: Texts of queries and items.
        training_clicks: All that composition, votes and degrees may know.
        rows: Query rows of the held-out queries; empty where they come from a log.
        asked_texts: Their texts where they come from a log.
        gold: What they clicked.
        excluded: Pairs that are never ranked.
        counted: True for the queries that figures are means over; the others show slices of the items.
    """

    texts: Mapping[Label, Texts]
    training_clicks: Clicks
    rows: Rows
    asked_texts: Sequence[str]
    gold: Gold
    excluded: tuple[Rows, Rows]
    counted: npt.NDArray[np.bool_]

    @classmethod
    def by_marks(
        cls,
        texts: Mapping[Label, Texts],
        clicks: Clicks,
        held_out: npt.NDArray[np.bool_],
        excluded: PairsByQuery,
        limit: int = LIMIT,
        *,
        training: Clicks | None = None,
    ) -> Self:
        """Hold out queries of the graph.

        Args:
            texts: Texts of queries and items.
            clicks: All clicks of the snapshot.
            held_out: True for the query rows that are held out.
            excluded: Pairs that are neither gold nor ranked.
            limit: Of :func:`recsys.model.sample.measured`; the first queries are those of the lowest rows.
            training: Clicks of the other queries, where they are at hand already.
        """
        training = clicks.of_queries(~held_out) if training is None else training
        asked = clicks.of_queries(held_out)
        rows, position = np.unique(asked.query, return_inverse=True)
        counts = ~excluded.holds(asked.query, asked.item)
        degree = training.per_item()[1][asked.item[counts]]
        kept = np.flatnonzero(measured(position[counts], degree, len(rows), limit))
        rows = rows[kept]
        counts &= np.isin(asked.query, rows)
        gold = Gold.from_pairs(np.searchsorted(rows, asked.query[counts]), asked.item[counts], len(rows))
        out = excluded.edges_of(rows)
        return cls(texts, training, rows, (), gold, (np.searchsorted(rows, out.source), out.target), kept < limit)

    def __len__(self) -> int:
        return int(self.counted.sum())

    @cached_property
    def counted_gold(self) -> Gold:
        """The gold of the queries that count; the others have none."""
        return self.gold.restrict(self.counted[self.gold.positions])

    @cached_property
    def degree(self) -> Rows:
        """Distinct training queries that clicked each item."""
        return self.training_clicks.per_item()[1]

    @cached_property
    def propensity(self) -> npt.NDArray[np.float64]:
        """Propensity of each item, from the training clicks."""
        return propensities(self.degree, len(self.training_clicks.queries))

    def vectors(self, encoded: Encoded) -> Vectors:
        """Return the vectors of the held-out queries."""
        return encoded.queries[self.rows] if encoded.asked is None else encoded.asked
