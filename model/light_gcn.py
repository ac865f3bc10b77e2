"""A collaborative baseline without text: LightGCN over the click graph (PyTorch Geometric).

He et al., "LightGCN: Simplifying and Powering Graph Convolution Network for Recommendation", SIGIR 2020. It has a
vector only for queries that it was trained with, so it can answer for known queries and for no new text.

Shape letters: Q queries, I items, E clicked pairs, D width.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from scipy.sparse import csr_array
from torch_geometric.nn import LightGCN

from recsys.core.progress import progress

Vectors = npt.NDArray[np.float32]

WIDTH, LAYERS = 64, 3
LEARNING_RATE = 0.01
DECAY = 1e-4
"Weight of the squared norms in the loss."


def train_light_gcn(clicks_QI: csr_array, *, steps: int, batch_size: int, seed: int) -> tuple[Vectors, Vectors]:
    """Train with the BPR loss, a random item as the negative of each pair.

    Args:
        clicks_QI: Training clicks, shape (Q, I).
        steps: Optimiser steps; each propagates over the whole graph.
        batch_size: Pairs per step.
        seed: Of every draw.

    Returns:
        Vectors of queries and items; their dot product is the score.
    """
    torch.manual_seed(seed)
    n_queries, n_items = clicks_QI.shape
    pairs = clicks_QI.tocoo().coords
    edges_2E = torch.from_numpy(np.stack([pairs[0], pairs[1] + n_queries]).astype(np.int64))
    both = torch.cat([edges_2E, edges_2E.flip(0)], dim=1)
    model = LightGCN(n_queries + n_items, WIDTH, LAYERS)
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    for _ in progress(range(steps), "training LightGCN", unit="step"):
        positive = edges_2E[:, torch.randint(edges_2E.shape[1], (batch_size,))]
        negative = torch.stack([positive[0], torch.randint(n_queries, n_queries + n_items, (batch_size,))])
        ranks = model(both, torch.cat([positive, negative], dim=1))
        touched = torch.from_numpy(np.unique(torch.cat([positive, negative], dim=1).numpy()))
        loss = model.recommendation_loss(*ranks.chunk(2), node_id=touched, lambda_reg=DECAY)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.inference_mode():
        vectors = model.get_embedding(both).numpy()
    return vectors[:n_queries], vectors[n_queries:]
