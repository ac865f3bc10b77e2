"""A graph network to stand beside: GraphSAGE over text features, with the graph of the training (PyTorch Geometric).

Hamilton, Ying, Leskovec, "Inductive Representation Learning on Large Graphs", NIPS 2017: two layers with the mean
aggregator over sampled neighbours. It needs the graph at serving time; a new query has no edges and is its text alone.

Shape letters: N nodes, B rows of the batch, U distinct nodes, E sampled edges, D width of the features.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from scipy.sparse import csr_array
from torch import Tensor, nn
from torch_geometric.nn import SAGEConv

from recsys.core.progress import progress
from recsys.model.losses.triplet import hardest_triplet_loss

Rows = npt.NDArray[np.int64]
Vectors = npt.NDArray[np.float32]

FIRST_HOP, SECOND_HOP = 10, 5
"Neighbours sampled per node."
LEARNING_RATE = 1e-3
_ENCODED_AT_ONCE = 4096


@dataclass(frozen=True)
class Neighbours:
    """Edges that messages run along, from ``target[start[n]:start[n + 1]]`` to node n.

    Attributes:
        start: Shape (N + 1).
        target: Node ids, shape (edges).
    """

    start: Rows
    target: Rows

    @classmethod
    def from_pairs(cls, nodes: Rows, neighbours: Rows, n_nodes: int) -> Neighbours:
        """Sort parallel arrays of edges by the node that receives."""
        order = np.lexsort((neighbours, nodes))
        return cls(np.searchsorted(nodes[order], np.arange(n_nodes + 1)), neighbours[order])

    def sample(self, nodes: Rows, fan_out: int, rng: np.random.Generator) -> tuple[Rows, Rows]:
        """Draw ``fan_out`` neighbours of each node with replacement.

        Returns:
            Positions in ``nodes`` and the neighbours drawn for them; nodes without any are left out.
        """
        count = self.start[nodes + 1] - self.start[nodes]
        position = np.repeat(np.flatnonzero(count), fan_out)
        pick = self.start[nodes[position]] + (rng.random(len(position)) * count[position]).astype(np.int64)
        return position, self.target[pick]


class GraphSage(nn.Module):
    """norm( x + h² ), h the two layers and x the text feature, so that training starts from the text.

    Args:
        features: Text vectors of all nodes, unit norm, shape (N, D).
        neighbours: Where messages come from.
    """

    def __init__(self, features: Vectors, neighbours: Neighbours) -> None:
        super().__init__()
        width = features.shape[1]
        self.features_ND = torch.from_numpy(features)
        self.neighbours = neighbours
        self.first = SAGEConv((width, width), width)
        self.second = SAGEConv((width, width), width)

    def forward(self, nodes: Rows, rng: np.random.Generator, without: Rows | None = None) -> Tensor:
        """Encode nodes with freshly sampled neighbours.

        Args:
            nodes: Node ids, shape (B).
            rng: Draws the neighbours.
            without: For each node one that it must not see, the query that is to be predicted for it.

        Returns:
            Unit-norm vectors, shape (B, D).
        """
        position_E, drawn_E = self.neighbours.sample(nodes, FIRST_HOP, rng)
        if without is not None:
            seen = drawn_E != without[position_E]
            position_E, drawn_E = position_E[seen], drawn_E[seen]
        inner_U, place = np.unique(np.concatenate([nodes, drawn_E]), return_inverse=True)
        inner_UD = self._layer(inner_U, rng)
        edges = torch.from_numpy(np.stack([place[len(nodes) :], position_E]))
        own_BD = inner_UD[torch.from_numpy(place[: len(nodes)])]
        return self._finish(nodes, self.second((inner_UD, own_BD), edges))

    def alone(self, features_BD: Tensor) -> Tensor:
        """Encode nodes that have no edges from their text features, shape (B, D)."""
        none = torch.empty((2, 0), dtype=torch.int64)
        inner_BD = self.first((features_BD, features_BD), none).relu()
        return nn.functional.normalize(features_BD + self.second((inner_BD, inner_BD), none), dim=1)

    def _layer(self, nodes_U: Rows, rng: np.random.Generator) -> Tensor:
        position_E, drawn_E = self.neighbours.sample(nodes_U, SECOND_HOP, rng)
        outer, place = np.unique(drawn_E, return_inverse=True)
        edges = torch.from_numpy(np.stack([place, position_E]))
        inputs = (self.features_ND[torch.from_numpy(outer)], self.features_ND[torch.from_numpy(nodes_U)])
        layer: Tensor = self.first(inputs, edges).relu()
        return layer

    def _finish(self, nodes: Rows, out_BD: Tensor) -> Tensor:
        return nn.functional.normalize(self.features_ND[torch.from_numpy(nodes)] + out_BD, dim=1)


def train_graph_sage(
    model: GraphSage,
    clicks_QI: csr_array,
    first_item: int,
    *,
    epochs: int,
    batch_size: int,
    seed: int,
    margin: float = 0.3,
) -> None:
    """Train in place with the triplet loss of our own encoder: query against its items, in-batch negatives.

    A query is its text alone, as it will be when it is asked: with the neighbours that only known queries have, the
    network learns to rely on what a new one lacks.

    Args:
        model: Nodes are queries from 0, items from ``first_item``, then whatever else.
        clicks_QI: Training clicks, shape (queries, items).
        first_item: Node id of item row 0.
        epochs: Passes over the queries that have clicks.
        batch_size: B.
        seed: Of every draw.
        margin: γ.
    """
    torch.manual_seed(seed)
    for layer in (model.first, model.second):
        layer.reset_parameters()
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    rng = np.random.default_rng(seed)
    asking = np.flatnonzero(np.diff(clicks_QI.indptr))
    for _ in progress(range(epochs), "training GraphSAGE", unit="epoch"):
        for query_B in _batches(rng.permutation(asking), batch_size):
            item_B = _clicked(clicks_QI, query_B, rng)
            known_BB = torch.from_numpy(clicks_QI[query_B][:, item_B].toarray() > 0)
            queries_BD = model.alone(model.features_ND[torch.from_numpy(query_B)])
            items_BD = model(first_item + item_B, rng, without=query_B)
            loss = hardest_triplet_loss(queries_BD, items_BD, known_BB, margin=margin)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            optimizer.step()


@torch.inference_mode()
def encode_nodes(model: GraphSage, nodes: Rows, seed: int) -> Vectors:
    """Return the vectors of ``nodes`` with the graph around them, shape (B, D)."""
    rng = np.random.default_rng(seed)
    return np.concatenate([model(part, rng).numpy() for part in _batches(nodes, _ENCODED_AT_ONCE)])


def _batches(rows: Rows, size: int) -> Sequence[Rows]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def _clicked(clicks_QI: csr_array, query_B: Rows, rng: np.random.Generator) -> Rows:
    first, end = clicks_QI.indptr[query_B], clicks_QI.indptr[query_B + 1]
    items: Rows = clicks_QI.indices[first + (rng.random(len(query_B)) * (end - first)).astype(np.int64)]
    return items.astype(np.int64)
