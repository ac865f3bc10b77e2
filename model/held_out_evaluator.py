"""Encodes held-out queries with all items and queries, and measures the encoder on them while it trains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast

import numpy as np
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.evaluation import BaseEvaluator
from sentence_transformers.base.model import BaseModel

from recsys.core.memory import give_back
from recsys.graph.schema import Label
from recsys.model.composition import Vectors
from recsys.model.encode_rows import encode_rows
from recsys.model.features import Features, make_features
from recsys.model.held_out import Encoded, HeldOut
from recsys.model.recipe import Recipe
from recsys.model.scratch import MEMORY, Scratch
from recsys.model.texts import Texts
from recsys.model.trials import Trials

ENDS: tuple[Label, Label] = ("Item", "Query")


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
