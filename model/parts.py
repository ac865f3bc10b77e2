"""The texts of a batch, each once and in parts of like length.

Texts that are encoded together are padded to the longest, and titles differ much in length: a batch that is padded as
a whole is mostly padding.

Shape letters: C entries of all columns, T distinct nodes among them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch

from recsys.graph.schema import LABELS, Label
from recsys.model.features import Features, Inputs

Rows = npt.NDArray[np.int64]
Nodes = Mapping[Label, Rows]

ROW_BITS = 40
"A node is one number: its label's place above the bits of its row."


def in_parts(features: Features, columns: Mapping[str, Nodes]) -> tuple[list[Inputs], dict[str, torch.Tensor]]:
    """Return the inputs of all distinct nodes, and where each column finds its own.

    Args:
        features: Gives model inputs of nodes, and how long their texts are.
        columns: By name, the rows of a column, label after label; a row may stand in several, and more than once.

    Returns:
        Inputs of the parts, one encoder call each; by column, positions in the embeddings of the parts laid end to end.
    """
    node_C = np.concatenate([_numbers(nodes) for nodes in columns.values()])
    node_T, place_C = np.unique(node_C, return_inverse=True)
    parts = _cut(node_T, features, features.part_tokens) if features.part_tokens else [np.arange(len(node_T))]
    place_C = np.argsort(np.concatenate(parts))[place_C]
    ends = np.cumsum([sum(map(len, nodes.values())) for nodes in columns.values()])
    places = dict(zip(columns, map(torch.from_numpy, np.split(place_C, ends[:-1])), strict=True))
    return [features(_nodes(node_T[part])) for part in parts], places


def _cut(node_T: Rows, features: Features, tokens: int) -> list[Rows]:
    """Return positions in ``node_T`` by part: the shortest texts while they are ``tokens`` with padding, and so on."""
    length_T = np.concatenate([features.lengths(label, rows) for label, rows in _nodes(node_T).items()])
    order_T = np.argsort(length_T, kind="stable")
    parts: list[Rows] = []
    while len(order_T):
        padded = length_T[order_T] * np.arange(1, len(order_T) + 1)
        size = max(1, int(np.searchsorted(padded, tokens, side="right")))
        parts.append(np.sort(order_T[:size]))
        order_T = order_T[size:]
    return parts


def _numbers(nodes: Nodes) -> Rows:
    return np.concatenate([rows + (LABELS.index(label) << ROW_BITS) for label, rows in nodes.items()])


def _nodes(node_T: Rows) -> dict[Label, Rows]:
    """Return sorted nodes as rows by label."""
    bounds = np.searchsorted(node_T, np.arange(1, len(LABELS)) << ROW_BITS)
    some = zip(LABELS, np.split(node_T & ((1 << ROW_BITS) - 1), bounds), strict=True)
    return {label: rows for label, rows in some if len(rows)}
