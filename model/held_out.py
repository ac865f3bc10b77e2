"""Measures an encoder on held-out queries while it trains, with the item vectors that would serve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.evaluation import BaseEvaluator
from sentence_transformers.base.model import BaseModel

from recsys.graph.schema import Label
from recsys.model.clicks import Clicks
from recsys.model.composition import Composition, Vectors
from recsys.model.metrics import Gold, propensities
from recsys.model.recipe import PLAIN_RECIPE, Recipe
from recsys.model.texts import Texts
from recsys.model.trials import Trials

Rows = npt.NDArray[np.int64]

IN_TRAINING = (PLAIN_RECIPE, *(Recipe(Composition(alpha, c)) for alpha, c in ((1.0, 3.0), (2.0, 1.0), (4.0, 10.0))))
"How items are composed to choose the best checkpoint, whichever is best; the final choice is made after training."


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


class HeldOutEvaluator(BaseEvaluator):
    """Gives the trainer the held-out figures.

    Args:
        held_out: What to measure on.
        recipes: How items may be scored; the best counts.
        batch_size: Texts encoded at once.
    """

    def __init__(self, held_out: HeldOut, recipes: Sequence[Recipe], batch_size: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # the library leaves it untyped
        self.held_out = held_out
        self.recipes = recipes
        self.batch_size = batch_size
        self.primary_metric = "score"

    def __call__(
        self, model: BaseModel, output_path: str | None = None, epoch: int = -1, steps: int = -1
    ) -> dict[str, float]:
        """Return the metrics of the best recipe and their ``score``."""
        encoded = encode_all(cast(SentenceTransformer, model), self.held_out.texts, self.batch_size)
        trials = Trials(self.held_out, encoded)
        marks = trials.measure(self.recipes)
        best = max(marks, key=lambda recipe: marks[recipe].score)
        return {**trials.figures(best), "score": marks[best].score}


def encode_all(model: SentenceTransformer, texts: Mapping[Label, Texts], batch_size: int) -> Encoded:
    """Encode every item and every query."""
    items, queries = (
        model.encode(texts[label].all_texts(), batch_size=batch_size, show_progress_bar=False, convert_to_numpy=True)
        for label in ("Item", "Query")
    )
    return Encoded(items, queries)
