"""Embeddings of a large batch in the memory of a small one (gradient caching, Gao et al., arXiv 2101.06983).

The loss needs the embeddings of all texts at once, the encoder's activations only one part at a time: they are thrown
away after the way forward and made again, part by part, on the way back. Gradients are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

Encode = Callable[[dict[str, Any]], Mapping[str, Tensor]]


def embed(model: Encode, features: dict[str, Any], part: int) -> Tensor:
    """Return the embeddings of a column of texts, shape (texts, width).

    Args:
        model: Encoder.
        features: Its inputs, a row per text, as a transformer takes them.
        part: Texts whose activations are held at once; 0 for all.
    """
    if not part:
        return model(features)["sentence_embedding"]
    texts = len(features["input_ids"])
    parts = [_rows(features, slice(start, start + part)) for start in range(0, texts, part)]
    return torch.cat([checkpoint(_sentences, model, some, use_reentrant=False) for some in parts])


def _sentences(model: Encode, features: dict[str, Any]) -> Tensor:
    return model(dict(features))["sentence_embedding"]  # modules write into what they are given


def _rows(features: dict[str, Any], rows: slice) -> dict[str, Any]:
    return {name: value[rows] if isinstance(value, Tensor) else value for name, value in features.items()}
