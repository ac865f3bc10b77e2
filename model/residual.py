"""A free vector per item on top of its text, learnt after the encoder, as classifiers of NGAME are (arXiv 2207.04452).

Shape letters: L items, D embedding width, B queries of a batch, M columns of it, T training queries.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.functional import normalize

from recsys.core.memory import give_back
from recsys.graph.pages import Edges
from recsys.model.clicks import Clicks
from recsys.model.composition import Vectors
from recsys.model.draw import known, pick_one
from recsys.model.hard_negatives import draw_near
from recsys.model.held_out import Encoded
from recsys.model.losses.triplet import hardest_triplet_loss
from recsys.model.nearest_clicked import KnownPairs, nearest_clicked
from recsys.model.pairs import PairsByQuery
from recsys.model.plan import UniformPlan
from recsys.model.precision import quick_products
from recsys.model.scratch import Scratch

Rows = npt.NDArray[np.int64]

Lookup = Callable[[torch.Tensor], torch.Tensor]

EPOCHS = 10
SEARCH_EVERY = 5
"Epochs between searches for hard negatives."
BATCH_SIZE = 1024
LEARNING_RATE = 0.003


@quick_products()
def learn_residual(encoded: Encoded, clicks: Clicks, excluded: PairsByQuery, seed: int) -> Vectors:
    """Return E(z) + w_z, w_z learnt so that clicks find norm(E(z) + w_z) while E stays; 0 for items without clicks.

    The negatives of a query are the batch's other items and near items that queries of the batch did not click.

    Args:
        encoded: Vectors of all items and queries.
        clicks: What is learnt from; at least one.
        excluded: Pairs that are no negatives, clicked or not.
        seed: Of batches and draws.

    Returns:
        Sums, not of unit norm, shape (L, D).
    """
    scratch = encoded.scratch
    text_LD, query_QD = torch.from_numpy(encoded.items), torch.from_numpy(encoded.queries)
    _, degree_L = clicks.per_item()
    clicked_L1 = torch.from_numpy(degree_L > 0)[:, None]
    free, optimizer = _free_vectors(text_LD.shape, scratch)
    plan = UniformPlan(clicks.queries, BATCH_SIZE, seed, scratch)
    known_pairs = KnownPairs.of(clicks, excluded)
    asked_TD = scratch.by_rows((len(plan.rows), text_LD.shape[1]), lambda some: encoded.queries[plan.rows[some]])

    def vectors(rows: torch.Tensor) -> torch.Tensor:
        return normalize(text_LD[rows] + free(rows) * clicked_L1[rows], dim=1)

    decay = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, total_iters=EPOCHS * len(plan))
    near_TK = np.empty((0, 0), dtype=np.int32)
    for epoch in range(EPOCHS):
        if epoch % SEARCH_EVERY == 0:
            give_back()
            items = _all(vectors, text_LD.shape, scratch)
            near_TK = nearest_clicked(asked_TD, items, degree_L, known_pairs, torch.device("cpu"), seed, scratch)
        rng = np.random.default_rng([seed, epoch])
        for query_B in plan.batches(epoch):
            near_BK = near_TK[np.searchsorted(plan.rows, query_B)]
            column_M, known_BM = _columns(query_B, known_pairs.clicked.edges_of(query_B), near_BK, degree_L, rng)
            known_BM |= excluded.known(query_B, column_M)
            row, place_M = np.unique(column_M, return_inverse=True)
            column_MD = vectors(torch.from_numpy(row)).index_select(0, torch.from_numpy(place_M))
            loss = hardest_triplet_loss(query_QD[query_B], column_MD, torch.from_numpy(known_BM))
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            optimizer.step()
            decay.step()
    weight_LD = free.weight.detach()
    give_back()
    return scratch.by_rows(text_LD.shape, lambda some: (text_LD[some] + weight_LD[some] * clicked_L1[some]).numpy())


def _free_vectors(shape: tuple[int, ...], scratch: Scratch) -> tuple[torch.nn.Embedding, torch.optim.Optimizer]:
    """Return vectors of zeros and their per-row Adam; both live where ``scratch`` says, as do the optimiser's means."""
    weight, *means = (torch.from_numpy(scratch.zeros(shape, np.float32)) for _ in range(3))
    free = torch.nn.Embedding(shape[0], shape[1], sparse=True, _weight=weight)
    optimizer = torch.optim.SparseAdam(list(free.parameters()), lr=LEARNING_RATE)
    optimizer.state[free.weight] = {"step": 0, **dict(zip(("exp_avg", "exp_avg_sq"), means, strict=True))}
    return free, optimizer


@torch.no_grad()
def _all(vectors: Lookup, shape: tuple[int, ...], scratch: Scratch) -> Vectors:
    return scratch.by_rows(shape, lambda some: vectors(torch.arange(some.start, some.stop)).numpy())


def _columns(
    query_B: Rows, edges: Edges, near_BK: npt.NDArray[np.int32], degree_L: Rows, rng: np.random.Generator
) -> tuple[Rows, npt.NDArray[np.bool_]]:
    """Return a clicked item of each query, then near items that none of these is, and the mask of known clicks."""
    _, item_B = pick_one(query_B, edges, rng)
    column_M = np.concatenate([item_B, np.setdiff1d(draw_near(near_BK, degree_L, rng), item_B)])
    return column_M, known(query_B, column_M, edges)
