"""Vectors of many rows as an encoder stands."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.util import batch_to_device

from recsys.graph.schema import Label
from recsys.model.features import Features
from recsys.model.scratch import MEMORY, Scratch

Rows = npt.NDArray[np.int64]

BATCHES = 16
"Batches of texts that are sorted by length together when they are only encoded."


@torch.no_grad()
def encode_rows(
    model: SentenceTransformer,
    features: Features,
    label: Label,
    rows: Rows,
    batch_size: int,
    scratch: Scratch = MEMORY,
) -> npt.NDArray[np.float32]:
    """Return the vectors of ``rows`` as the encoder stands, float32."""
    training = model.training
    model.eval()
    column, width = scratch.column(np.float32), model.get_embedding_dimension() or 0
    for first in range(0, len(rows), BATCHES * batch_size):
        among = rows[first : first + BATCHES * batch_size]
        vectors = np.empty((len(among), width), np.float32)
        order = np.argsort(features.lengths(label, among), kind="stable")
        for start in range(0, len(among), batch_size):
            some = order[start : start + batch_size]
            output = model(batch_to_device(dict(features({label: among[some]})), model.device))
            vectors[some] = output["sentence_embedding"].float().cpu().numpy()
        column.append(vectors)
    model.train(training)
    return column.whole().reshape(len(rows), width)
