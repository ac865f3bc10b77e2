"""The neighbour stream over the live graph."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.graph.client import Graph
from recsys.model.batch import Batch
from recsys.model.batch_reader import BatchReader
from recsys.model.plan import UniformPlan
from recsys.model.snapshot import take_snapshot
from recsys.model.stream import NeighbourStream

EPOCHS = 2


class CountingReader(BatchReader):
    """Counts what was read."""

    reads = 0

    def read(self, query_B, rng: np.random.Generator) -> Batch:
        """Read and count."""
        self.reads += 1
        return super().read(query_B, rng)


@pytest.fixture
def reader(small: Graph, twin) -> CountingReader:
    """Reads batches of the small graph."""
    return CountingReader(small, take_snapshot(small), twin.excluded)


@pytest.fixture
def plan(twin) -> UniformPlan:
    """Eight batches an epoch."""
    return UniformPlan(np.array(twin.clicked), 8, seed=1)


def everything(stream: NeighbourStream, plan: UniformPlan) -> list[Batch]:
    """Return the batches of all epochs."""
    found = []
    for epoch in range(EPOCHS):
        stream.start(epoch)
        found += [stream.batch(rows.tolist()) for rows in plan.batches(epoch)]
    return found


def flat(batch: Batch) -> list[object]:
    """Return all that was drawn."""
    return [batch.query_B, batch.item_B, batch.known_BB, *(vars(term.draw) for term in batch.terms)]


def test_timing_does_not_change_batches(reader: CountingReader, plan: UniformPlan):
    """Room for one batch or for all, the same seed gives the same batches; another seed gives others."""
    found = []
    for bound, seed in ((1, 5), (2**30, 5), (2**30, 6)):
        with NeighbourStream(reader, plan, seed, memory_bound=bound) as stream:
            found.append([flat(batch) for batch in everything(stream, plan)])
    np.testing.assert_equal(found[0], found[1])
    items = [np.concatenate([batch[1] for batch in batches]) for batches in found]
    assert (items[0] != items[2]).any()


def test_epochs_draw_anew(reader: CountingReader, plan: UniformPlan):
    """A query with several clicks does not get the same item in every epoch."""
    with NeighbourStream(reader, plan, seed=5) as stream:
        batches = everything(stream, plan)
    drawn = [dict(zip(b.query_B.tolist(), b.item_B.tolist(), strict=True)) for b in batches]
    first, second = ({k: v for d in part for k, v in d.items()} for part in (drawn[: len(plan)], drawn[len(plan) :]))
    assert first.keys() == second.keys()
    assert first != second


@pytest.mark.parametrize("start", [0, 3, 7])
def test_any_batch_can_be_the_first(reader: CountingReader, plan: UniformPlan, start: int):
    """A training that goes on inside an epoch gets what it would have got."""
    rows = list(plan.batches(1))
    with NeighbourStream(reader, plan, seed=5) as stream:
        expected = [flat(batch) for batch in everything(stream, plan)][len(plan) + start :]
    with NeighbourStream(reader, plan, seed=5) as resumed:
        resumed.start(1)
        found = [flat(resumed.batch(some.tolist())) for some in rows[start:]]
    np.testing.assert_equal(found, expected)


def test_shards_draw_what_the_whole_draws(reader: CountingReader, plan: UniformPlan):
    """But for the last step, which is cut otherwise, two shards together get the batches of one process."""
    with NeighbourStream(reader, plan, seed=5) as stream:
        whole = [flat(batch) for batch in stream.epoch(1)]
    for number in range(2):
        shard = plan.shard(number, 2)
        with NeighbourStream(reader, shard, seed=5) as stream:
            found = [flat(batch) for batch in stream.epoch(1)]
        assert len(found) == len(shard) == 4
        np.testing.assert_equal(found[:-1], whole[number:-2:2])


def test_an_epoch_can_be_walked_through(reader: CountingReader, plan: UniformPlan):
    """Iterating gives what asking for rows gives, from any step on, and reads nothing that lies before it."""
    with NeighbourStream(reader, plan, seed=5) as stream:
        expected = [flat(batch) for batch in everything(stream, plan)][len(plan) :]
    reader.reads = 0
    with NeighbourStream(reader, plan, seed=5) as stream:
        np.testing.assert_equal([flat(batch) for batch in stream.epoch(1, first=3)], expected[3:])
    assert reader.reads == len(plan) - 3


def test_what_waits_is_bounded(reader: CountingReader, plan: UniformPlan):
    """With room for no batch, reading stays at most two ahead of the trainer; with room for all, each is read once."""
    with NeighbourStream(reader, plan, seed=5, memory_bound=1) as stream:
        for taken, rows in enumerate(list(plan.batches(0))[:4], start=1):
            stream.batch(rows.tolist())
            assert taken <= reader.reads <= taken + 2
    reader.reads = 0
    with NeighbourStream(reader, plan, seed=5, memory_bound=2**30) as stream:
        for rows in plan.batches(0):
            stream.batch(rows.tolist())
    assert reader.reads == len(plan)


def test_a_short_last_batch_leaves_the_bound(reader: CountingReader, twin):
    """Where the last batch of an epoch holds a single query, no more of the next epoch is fetched ahead."""
    plan = UniformPlan(np.array(twin.clicked[:41]), 8, seed=1)
    with NeighbourStream(reader, plan, seed=5) as stream:
        bound = 2 * max(batch.nbytes for batch in stream.epoch(0))
    reader.reads = 0
    with NeighbourStream(reader, plan, seed=5, memory_bound=bound) as stream:
        assert sum(1 for _ in stream.epoch(0)) == len(plan) == reader.reads == 6
        stream.start(1)
        stream.batch(next(plan.batches(1)).tolist())
        assert len(stream._waiting) == 2


def test_a_failed_read_reaches_the_trainer(reader: CountingReader, plan: UniformPlan, monkeypatch: pytest.MonkeyPatch):
    """An error while reading ahead is raised when its batch is asked for, not before and not never."""
    with NeighbourStream(reader, plan, seed=5, memory_bound=1) as stream:
        first, second, third, *_ = plan.batches(0)
        stream.batch(first.tolist())
        stream.batch(second.tolist())
        monkeypatch.setattr(reader, "read", lambda *_: 1 / 0)
        stream.batch(third.tolist())
        with pytest.raises(ZeroDivisionError):
            stream.batch(list(plan.batches(0))[3].tolist())
