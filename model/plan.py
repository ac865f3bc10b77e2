"""Batch plans: which query rows come next, and which of them are whose."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from typing import Self

import numpy as np
import numpy.typing as npt

from recsys.core.errors import DataError
from recsys.model.scratch import MEMORY, Scratch

Rows = npt.NDArray[np.int64]


class TooManyShardsError(DataError):
    """There are fewer rows than shards, so that one would have nothing to do."""

    def __init__(self, rows: int, shards: int) -> None:
        self.rows = rows
        self.shards = shards
        super().__init__(
            f"{rows} training queries cannot be shared among {shards} processes or workers; start at most {rows}"
        )


class UniformPlan:
    """Every row once per epoch, in an order drawn from (seed, epoch).

    An epoch is cut into batches first, and the batches are dealt out to the shards in turn: the same rows stand
    together however many shards there are. Only the last step is spread evenly, so that every shard has equally many
    steps, as training in step with others needs.

    Args:
        rows: Query rows to train on, ascending.
        batch_size: Rows per batch; those of the last step of an epoch may be shorter, or longer by one where fewer
            rows than shards are left over.
        seed: Seed of the order.
        scratch: Where the order lives.
    """

    number = 0
    "Which shard this is."
    shards = 1
    "How many there are."

    def __init__(self, rows: Rows, batch_size: int, seed: int, scratch: Scratch = MEMORY) -> None:
        self.rows = rows
        self.batch_size = batch_size
        self.seed = seed
        self.scratch = scratch

    def __len__(self) -> int:
        whole, left = divmod(len(self.rows), self.batch_size * self.shards)
        return whole + (left >= self.shards)

    def shard(self, number: int, shards: int) -> Self:
        """Return the plan of one of ``shards`` equal parts of this one, which together are all of it.

        A shard can be cut again: ``plan.shard(rank, world_size).shard(worker, workers)``.

        Raises:
            TooManyShardsError: There are fewer rows than shards.
        """
        part = copy(self)
        part.number, part.shards = self.number * shards + number, self.shards * shards
        if len(self.rows) < part.shards:
            raise TooManyShardsError(len(self.rows), part.shards)
        return part

    def order(self, epoch: int) -> Rows:
        """Return the rows of ``epoch`` in their order, those of all shards."""
        order: Rows = self.scratch.zeros(self.rows.shape, np.int64)
        order[:] = self.rows
        np.random.default_rng([self.seed, epoch]).shuffle(order)
        return order

    def steps(self, epoch: int) -> Iterator[list[Rows]]:
        """Yield the steps of ``epoch``, each with one batch per shard."""
        order = self.order(epoch)
        size = self.batch_size * self.shards
        for step in range(len(self)):
            last = step == len(self) - 1
            yield np.array_split(order[step * size : None if last else (step + 1) * size], self.shards)

    def batches(self, epoch: int) -> Iterator[Rows]:
        """Yield the batches of ``epoch`` that are this shard's."""
        for batches in self.steps(epoch):
            yield batches[self.number]

    def place(self, step: int) -> int:
        """Return which batch of the whole epoch this shard's batch of ``step`` is; its draws are seeded by that."""
        return step * self.shards + self.number
