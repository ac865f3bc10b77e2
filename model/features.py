"""Model inputs of nodes, by row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.util import batch_to_device

from recsys.graph.schema import Label
from recsys.model.encoder import is_static
from recsys.model.ranges import joined_ranges
from recsys.model.texts import Texts

Rows = npt.NDArray[np.int64]
Inputs = Mapping[str, torch.Tensor]


class Features(Protocol):
    """Turns rows of one or more labels into the inputs of one encoder call."""

    def __call__(self, rows: Mapping[Label, Rows]) -> Inputs:
        """Return the inputs of all rows, label after label."""
        ...


def make_features(model: SentenceTransformer, texts: Mapping[Label, Texts]) -> Features:
    """Return the inputs of ``texts`` for this encoder; they hold for every state of its weights."""
    return StaticFeatures(texts, model[0]) if is_static(model) else TextFeatures(texts, model.preprocess)


@torch.no_grad()
def encode_rows(
    model: SentenceTransformer, features: Features, label: Label, rows: Rows, batch_size: int
) -> npt.NDArray[np.float32]:
    """Return the vectors of ``rows`` as the encoder stands, without tokenising where the tokens are at hand."""
    training = model.training
    model.eval()
    parts = []
    for start in range(0, len(rows), batch_size):
        inputs = dict(features({label: rows[start : start + batch_size]}))
        output = model(batch_to_device(inputs, model.device))
        parts.append(output["sentence_embedding"].float().cpu().numpy())
    model.train(training)
    return np.concatenate(parts)


class TextFeatures:
    """Looks the texts up and tokenises them; for any encoder.

    Args:
        texts: Texts of every label.
        preprocess: The encoder's tokeniser.
    """

    def __init__(self, texts: Mapping[Label, Texts], preprocess: Callable[[list[str]], Inputs]) -> None:
        self._texts = texts
        self._preprocess = preprocess

    def __call__(self, rows: Mapping[Label, Rows]) -> Inputs:
        """Return the inputs of all rows, label after label."""
        return self._preprocess([text for label, some in rows.items() for text in self._texts[label].take(some)])


class StaticFeatures:
    """Token ids of every text, tokenised once: for the static encoder tokenising costs more than training.

    Args:
        texts: Texts of every label.
        module: The StaticEmbedding, whose inputs are flat token ids and where each text begins.
    """

    def __init__(self, texts: Mapping[Label, Texts], module: Any) -> None:
        self._tokens: dict[Label, tuple[npt.NDArray[np.int64], Rows]] = {}
        for label, some in texts.items():
            inputs = module.preprocess(some.all_texts())
            ids, starts = inputs["input_ids"].numpy(), inputs["offsets"].numpy()
            self._tokens[label] = ids, np.append(starts, len(ids))

    def __call__(self, rows: Mapping[Label, Rows]) -> Inputs:
        """Return the inputs of all rows, label after label."""
        parts = [self._gather(label, some) for label, some in rows.items()]
        sizes = np.concatenate([size for _, size in parts])
        offsets = np.cumsum(sizes) - sizes
        ids = np.concatenate([ids for ids, _ in parts])
        return {"input_ids": torch.from_numpy(ids), "offsets": torch.from_numpy(offsets)}

    def _gather(self, label: Label, rows: Rows) -> tuple[npt.NDArray[np.int64], Rows]:
        ids, bounds = self._tokens[label]
        sizes = bounds[rows + 1] - bounds[rows]
        return ids[joined_ranges(bounds[rows], sizes)], sizes
