"""Batch plans: which query rows come next."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]


class UniformPlan:
    """Every row once per epoch, in an order drawn from (seed, epoch).

    Args:
        rows: Query rows to train on.
        batch_size: Rows per batch; the last batch of an epoch may be shorter.
        seed: Seed of the order.
    """

    def __init__(self, rows: Rows, batch_size: int, seed: int) -> None:
        self.rows = rows
        self.batch_size = batch_size
        self.seed = seed

    def __len__(self) -> int:
        return -(-len(self.rows) // self.batch_size)

    def order(self, epoch: int) -> Rows:
        """Return the rows of ``epoch`` in their order."""
        return np.random.default_rng([self.seed, epoch]).permutation(self.rows)

    def batches(self, epoch: int) -> Iterator[Rows]:
        """Yield the batches of ``epoch``."""
        order = self.order(epoch)
        for start in range(0, len(order), self.batch_size):
            yield order[start : start + self.batch_size]
