"""Measures an encoder on held-out queries while it trains, with the item vectors that would serve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.evaluation import BaseEvaluator
from sentence_transformers.base.model import BaseModel

from recsys.graph.schema import Label
from recsys.model.clicks import Clicks
from recsys.model.composition import PLAIN, Composition, Vectors, compose, mean_of_queries
from recsys.model.metrics import Gold, evaluate_ranking, propensities
from recsys.model.ranking import top_k
from recsys.model.texts import Texts

Rows = npt.NDArray[np.int64]

IN_TRAINING = Composition(2.0, 1.0)
"How items are composed to choose the best checkpoint; the final choice is made after training."


def score(figures: Mapping[str, float]) -> float:
    """Return what checkpoints and compositions are chosen by: the mean of P@1 and R@10, the head and the breadth."""
    return (figures["P@1"] + figures["R@10"]) / 2


@dataclass(frozen=True)
class Encoded:
    """Vectors of one moment of the encoder.

    Attributes:
        items: E(z) of every item row.
        queries: E(x) of every query row.
    """

    items: Vectors
    queries: Vectors


class HeldOut:
    """Held-out queries, what they clicked, and the training clicks that items are composed from.

    Args:
        texts: Texts of queries and items.
        clicks: All clicks of the snapshot.
        held_out: True for the query rows that are held out.
        self_items: For each query row the item row that is the same page, −1 for none; never ranked.
        limit: Held-out queries measured at most, the first by row, so that measuring stays cheap.
    """

    def __init__(
        self,
        texts: Mapping[Label, Texts],
        clicks: Clicks,
        held_out: npt.NDArray[np.bool_],
        self_items: Rows,
        limit: int = 5000,
    ) -> None:
        self.texts = texts
        self.training_clicks = clicks.of_queries(~held_out)
        _, self.degree = self.training_clicks.per_item()
        self.propensity = propensities(self.degree, int((~held_out).sum()))
        asked = clicks.of_queries(held_out)
        self.rows = np.unique(asked.query)[:limit]
        position = np.searchsorted(self.rows, asked.query)
        inside = (position < len(self.rows)) & (self_items[asked.query] != asked.item)
        self.gold = Gold.from_pairs(position[inside], asked.item[inside], len(self.rows))
        own = self_items[self.rows]
        self.excluded = (np.flatnonzero(own >= 0), own[own >= 0])

    def measure(self, encoded: Encoded, how: Composition, mean: Vectors | None = None) -> dict[str, float]:
        """Return the metrics in percent of the item vectors composed as ``how`` says.

        Args:
            encoded: Vectors of all items and queries.
            how: α and c.
            mean: Mean of the clicking training queries, when it is at hand already.
        """
        mean = mean_of_queries(encoded.queries, self.training_clicks) if mean is None else mean
        items = compose(encoded.items, mean, self.degree, how) if how != PLAIN else encoded.items
        ranked = top_k(encoded.queries[self.rows], items, 100, excluded=self.excluded)
        return evaluate_ranking(ranked, self.gold, propensity_L=self.propensity)


class HeldOutEvaluator(BaseEvaluator):
    """Gives the trainer the held-out figures.

    Args:
        held_out: What to measure on.
        how: How items are composed.
        batch_size: Texts encoded at once.
    """

    def __init__(self, held_out: HeldOut, how: Composition, batch_size: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # the library leaves it untyped
        self.held_out = held_out
        self.how = how
        self.batch_size = batch_size
        self.primary_metric = "score"

    def __call__(
        self, model: BaseModel, output_path: str | None = None, epoch: int = -1, steps: int = -1
    ) -> dict[str, float]:
        """Return the metrics and their ``score``."""
        encoded = encode_all(cast(SentenceTransformer, model), self.held_out.texts, self.batch_size)
        figures = self.held_out.measure(encoded, self.how)
        return {**figures, "score": score(figures)}


def encode_all(model: SentenceTransformer, texts: Mapping[Label, Texts], batch_size: int) -> Encoded:
    """Encode every item and every query."""
    items, queries = (
        model.encode(texts[label].all_texts(), batch_size=batch_size, show_progress_bar=False, convert_to_numpy=True)
        for label in ("Item", "Query")
    )
    return Encoded(items, queries)
