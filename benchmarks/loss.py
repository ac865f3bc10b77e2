"""The triplet loss by its few negatives against the same formula with gradients through all similarities.

Usage: python benchmarks/loss.py
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch import Tensor

from recsys.model.losses.triplet import hardest_triplet_loss

ROWS, WIDTH, REPEATS = 1024, 384, 20
Loss = Callable[[Tensor, Tensor, Tensor], Tensor]


def dense(row_ND: Tensor, positive_ND: Tensor, known_NN: Tensor) -> Tensor:
    """The formula as it is written down."""
    similarity_NN = row_ND @ positive_ND.T
    own_N1 = similarity_NN.diagonal().unsqueeze(1)
    hard_NK = similarity_NN.masked_fill(known_NN, -4.0).topk(10, dim=1).values
    violation_NK = (hard_NK - own_N1 + 0.3).relu()
    weight_NK = (hard_NK.detach() / 0.1).masked_fill(violation_NK == 0, float("-inf")).softmax(dim=1).nan_to_num(0.0)
    return (weight_NK * violation_NK).sum(dim=1).mean()


def seconds(loss: Loss) -> float:
    """Return the median seconds of forward and backward."""
    torch.manual_seed(0)
    row_ND, positive_ND = (torch.randn(ROWS, WIDTH).requires_grad_() for _ in range(2))
    known_NN = torch.eye(ROWS, dtype=torch.bool)
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        unit = [torch.nn.functional.normalize(side, dim=1) for side in (row_ND, positive_ND)]
        loss(unit[0], unit[1], known_NN).backward()
        times.append(time.perf_counter() - began)
    return sorted(times)[REPEATS // 2]


def main() -> None:
    """Print both and their ratio."""
    ours, theirs = seconds(hardest_triplet_loss), seconds(dense)
    print(f"triplet loss, {ROWS} x {WIDTH}: few {ours * 1e3:.1f} ms, dense {theirs * 1e3:.1f} ms, {theirs / ours:.2f}x")


if __name__ == "__main__":
    main()
