"""The trainer follows the plan."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from accelerate.data_loader import BatchSamplerShard, SkipBatchSampler

from recsys.model.plan import UniformPlan
from recsys.model.trainer import PlanSampler, sparse_optimizer


class Epochs:
    """Stands where the stream does, and keeps what it is told."""

    def __init__(self) -> None:
        self.started: list[int] = []

    def start(self, epoch: int) -> None:
        """Keep the epoch."""
        self.started.append(epoch)


def test_the_sampler_yields_positions_of_the_plans_rows():
    """Positions in the dataset lead to the plan's rows in its order, epoch by epoch, and the stream hears of each."""
    plan, stream = UniformPlan(np.array([3, 8, 21, 40, 41]), 2, seed=0), Epochs()
    sampler = PlanSampler(plan, stream)  # type: ignore[arg-type]
    for epoch in (0, 4):
        sampler.set_epoch(epoch)
        rows = [[int(plan.rows[p]) for p in positions] for positions in sampler]
        assert rows == [batch.tolist() for batch in plan.batches(epoch)]
    assert stream.started == [0, 4]
    assert len(sampler) == 3


@pytest.mark.parametrize("rows", [6, 17, 32, 40, 47])
@pytest.mark.parametrize("processes", [2, 3])
def test_accelerate_gives_each_process_its_shard(rows: int, processes: int):
    """What accelerate makes of the sampler for a process is its shard, cut once, also where it goes on inside."""
    plan = UniformPlan(np.arange(rows) * 3, 8, seed=0)
    for number in range(processes):
        shard = plan.shard(number, processes)
        sampler = PlanSampler(shard, Epochs())  # type: ignore[arg-type]
        sampler.set_epoch(2)
        share = BatchSamplerShard(sampler, processes, number, even_batches=False)
        expected = [(batch // 3).tolist() for batch in shard.batches(2)]
        assert list(share) == expected
        assert len(share) == len(expected)
        assert list(SkipBatchSampler(share, 1)) == expected[1:]


def test_sparse_steps_leave_other_rows_alone():
    """A step moves only the rows that were used."""
    table = torch.nn.EmbeddingBag(5, 3, sparse=True)
    before = table.weight.detach().clone()
    optimizer = sparse_optimizer(table, 0.1)
    table(torch.tensor([[1, 3]])).sum().backward()
    optimizer.step()
    moved = (table.weight.detach() != before).any(dim=1)
    assert moved.tolist() == [False, True, False, True, False]
