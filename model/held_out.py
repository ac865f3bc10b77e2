"""Measures an encoder on held-out queries while it trains, with the item vectors that would serve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self, cast

import numpy as np
import numpy.typing as npt
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.evaluation import BaseEvaluator
from sentence_transformers.base.model import BaseModel

from recsys.core.bonus import Bonus
from recsys.core.memory import give_back
from recsys.graph.schema import Label
from recsys.model.clicks import Clicks
from recsys.model.composition import Composition, Vectors
from recsys.model.encode_rows import encode_rows
from recsys.model.features import Features, make_features
from recsys.model.metrics import Gold, propensities
from recsys.model.pairs import PairsByQuery
from recsys.model.recipe import PLAIN_RECIPE, Recipe
from recsys.model.sample import LIMIT, measured
from recsys.model.scratch import MEMORY, Scratch
from recsys.model.texts import Texts
from recsys.model.trials import Trials

Rows = npt.NDArray[np.int64]

ENDS: tuple[Label, Label] = ("Item", "Query")
IN_TRAINING = (
    PLAIN_RECIPE,
    Recipe(Composition(2.0, 1.0)),
    Recipe(Composition(8.0, 30.0)),
    Recipe(Composition(8.0, 30.0), bonus=Bonus(0.05, 0.02)),
)
"How items are composed to choose the best checkpoint, whichever is best; the final choice is made after training."


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


class HeldOutEncoder:
    """Encodes every item and every query, and the held-out queries of a log, as often as the encoder changes.

    Args:
        features: Inputs of items and queries.
        held_out: Whose queries.
        batch_size: Texts encoded at once.
        scratch: Where the vectors live.
    """

    def __init__(self, features: Features, held_out: HeldOut, batch_size: int, scratch: Scratch = MEMORY) -> None:
        self._features = features
        self._held_out = held_out
        self._batch_size = batch_size
        self._scratch = scratch

    def __call__(self, model: SentenceTransformer) -> Encoded:
        """Return the vectors as the encoder stands."""
        encoded = _encode_ends(model, self._features, self._held_out.texts, self._batch_size, self._scratch)
        texts = self._held_out.asked_texts
        return replace(encoded, asked=encode(model, texts, self._batch_size)) if texts else encoded


class HeldOutEvaluator(BaseEvaluator):
    """Gives the trainer the held-out figures.

    Args:
        held_out: What to measure on.
        recipes: How items may be scored; the best counts.
        encode: Of the same held-out queries.
    """

    def __init__(self, held_out: HeldOut, recipes: Sequence[Recipe], encode: HeldOutEncoder) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # the library leaves it untyped
        self.held_out = held_out
        self.recipes = recipes
        self.encode = encode
        self.primary_metric = "score"

    def __call__(
        self, model: BaseModel, output_path: str | None = None, epoch: int = -1, steps: int = -1
    ) -> dict[str, float]:
        """Return P@1, PSP@5 and R@10 of the best recipe, and their ``score``."""
        encoded = self.encode(cast(SentenceTransformer, model))
        give_back()
        marks = Trials(self.held_out, encoded).measure(self.recipes)
        best = max(marks.values(), key=lambda some: some.score)
        return {"P@1": best.p1, "PSP@5": best.psp5, "R@10": best.r10, "score": best.score}


def encode_all(
    model: SentenceTransformer, texts: Mapping[Label, Texts], batch_size: int, scratch: Scratch = MEMORY
) -> Encoded:
    """Encode every item and every query of ``texts`` once."""
    features = make_features(model, {label: texts[label] for label in ENDS}, scratch)
    return _encode_ends(model, features, texts, batch_size, scratch)


def _encode_ends(
    model: SentenceTransformer, features: Features, texts: Mapping[Label, Texts], batch_size: int, scratch: Scratch
) -> Encoded:
    items, queries = (
        encode_rows(model, features, label, np.arange(len(texts[label])), batch_size, scratch) for label in ENDS
    )
    return Encoded(items, queries, scratch=scratch)


def encode(model: SentenceTransformer, texts: Sequence[str], batch_size: int) -> Vectors:
    """Encode texts."""
    vectors: Vectors = model.encode(list(texts), batch_size=batch_size, show_progress_bar=False, convert_to_numpy=True)
    return vectors
