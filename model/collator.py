"""From query rows to model inputs: the stream says what was drawn, the features are looked up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from recsys.graph.schema import Label
from recsys.model.batch import Batch
from recsys.model.features import Features
from recsys.model.parts import in_parts
from recsys.model.stream import NeighbourStream

Rows = npt.NDArray[np.int64]


class BatchCollator:
    """Collator of the sentence-transformers trainer whose dataset is the query rows.

    Args:
        stream: Gives the batch of the rows.
        features: Gives model inputs of nodes.
    """

    valid_label_columns = ("label",)

    def __init__(self, stream: NeighbourStream, features: Features) -> None:
        self._stream = stream
        self._features = features

    def __call__(self, rows: Sequence[Mapping[str, int]]) -> dict[str, Any]:
        """Return the inputs of all texts in parts, and ``label``, for ``RamenLoss``.

        The columns are queries, items, hard items, neighbours and anchors.
        """
        batch = self._stream.batch([row["row"] for row in rows])
        columns: dict[str, dict[Label, Rows]] = {"query": {"Query": batch.query_B}, "item": {"Item": batch.item_B}}
        anchors = distinct_anchors(batch)
        label: dict[str, Any] = {"known": torch.from_numpy(batch.known_BB), "terms": term_labels(batch, anchors)}
        if batch.hard:
            columns["hard"] = {"Item": batch.hard.item_H}
            label["hard"] = {
                "position": torch.from_numpy(batch.hard.position_N),
                "known": torch.from_numpy(batch.hard.known_BH),
            }
        if batch.neighbour and len(batch.neighbour.position_N):
            clickers = [batch.hard.clicker_N] if batch.hard else []
            columns["neighbour"] = {"Query": np.concatenate([batch.neighbour.drawn_N, *clickers])}
            label["neighbour"] = {
                "position": torch.from_numpy(batch.neighbour.position_N),
                "known": torch.from_numpy(batch.neighbour.known_NN),
            }
        if anchors:
            columns["anchor"] = anchors
        parts, label["places"] = in_parts(self._features, columns)
        inputs = {f"part{i}_{key}": value for i, part in enumerate(parts) for key, value in part.items()}
        return {"label": label, **inputs}


def distinct_anchors(batch: Batch) -> dict[Label, Rows]:
    """Return the drawn rows per label, each once: relations and sides share hubs, which are encoded a single time."""
    labels = sorted({term.anchor for term in batch.terms})
    drawn = {label: [term.draw.drawn_N for term in batch.terms if term.anchor == label] for label in labels}
    return {label: np.unique(np.concatenate(rows)) for label, rows in drawn.items()}


def term_labels(batch: Batch, anchors: Mapping[Label, Rows]) -> list[dict[str, Any]]:
    """Return each term as tensors: who drew, which of the distinct ``anchors``, and what is known."""
    sizes = [len(rows) for rows in anchors.values()]
    offset = dict(zip(anchors, np.cumsum([0, *sizes]), strict=False))
    return [
        {
            "relation": term.relation,
            "side": term.side,
            "position": torch.from_numpy(term.draw.position_N),
            "anchor": torch.from_numpy(np.searchsorted(anchors[term.anchor], term.draw.drawn_N) + offset[term.anchor]),
            "known": torch.from_numpy(term.draw.known_NN),
        }
        for term in batch.terms
    ]
