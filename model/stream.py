"""The neighbour stream: batches read from the live graph ahead of the trainer, within a memory bound."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from types import TracebackType

import numpy as np

from recsys.model.batch import Batch
from recsys.model.batch_reader import BatchReader
from recsys.model.plan import UniformPlan

MEMORY_BOUND = 64 * 2**20
"Bytes of batches that may wait for the trainer."


class NeighbourStream(AbstractContextManager["NeighbourStream"]):
    """Batches in the order of a plan, fetched while the trainer works.

    Every draw comes from a generator seeded by (seed, epoch, batch of the whole epoch), so the same seed gives the same
    batches whatever the timing, any batch can be the first, and a batch of a shard is drawn as it would be without
    shards. A read that fails for a passing reason, such as a lost connection, is done again before the next one.

    Iterate over the batches of an epoch (:meth:`epoch`), or ask for them by their rows (:meth:`start`, :meth:`batch`)
    where a sampler walks through the plan.

    Args:
        reader: Reads one batch from the graph.
        plan: Which query rows come next; a shard of a plan in a process or worker that is one of several.
        seed: Seed of the draws.
        memory_bound: Bytes of fetched batches that may wait; at least one batch is always fetched ahead.
    """

    def __init__(self, reader: BatchReader, plan: UniformPlan, seed: int, memory_bound: int = MEMORY_BOUND) -> None:
        self._reader = reader
        self._plan = plan
        self._seed = seed
        self._memory_bound = memory_bound
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="neighbours")
        self._waiting: deque[Future[Batch]] = deque()
        self._largest = 0
        self._open(0, 0)

    def epoch(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        """Yield the batches of ``epoch``, from the step ``first`` on."""
        self.start(epoch, first)
        for rows in self._batches[first:]:
            yield self.batch(rows.tolist())

    def start(self, epoch: int, first: int = 0) -> None:
        """Begin ``epoch``; its batches are asked for next, from the step ``first`` on."""
        self._reader.start(epoch)
        self._open(epoch, first)
        self._fill()

    def batch(self, rows: Sequence[int]) -> Batch:
        """Return the batch of these query rows, and go on fetching those that follow it.

        Args:
            rows: A batch of the current epoch's plan: the next one, or any other after a resumed start.
        """
        index = self._index_of[int(rows[0])]
        if index != self._head:
            self._seek(index)
        self._fill()
        batch = self._waiting.popleft().result()
        self._head += 1
        self._largest = max(self._largest, batch.nbytes)
        self._fill()
        return batch

    def close(self) -> None:
        """Stop fetching."""
        self._worker.shutdown(cancel_futures=True)

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _seek(self, index: int) -> None:
        for future in self._waiting:
            future.cancel()
        self._waiting.clear()
        self._head = index

    def _open(self, epoch: int, first: int) -> None:
        self._epoch = epoch
        self._batches = list(self._plan.batches(epoch))
        self._index_of = {int(rows[0]): index for index, rows in enumerate(self._batches)}
        self._seek(first)

    @property
    def _ahead(self) -> int:
        """Batches that may wait, by the largest so far: in place of a short last one a whole epoch might fit."""
        return max(1, self._memory_bound // self._largest) if self._largest else 2

    def _fill(self) -> None:
        while len(self._waiting) < self._ahead and self._head + len(self._waiting) < len(self._batches):
            index = self._head + len(self._waiting)
            rng = np.random.default_rng([self._seed, self._epoch, self._plan.place(index)])
            self._waiting.append(self._worker.submit(self._reader.read, self._batches[index], rng))
