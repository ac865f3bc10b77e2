"""The example of a loop in plain PyTorch."""

from __future__ import annotations

from examples.plain_torch_loop import train
from recsys.graph.client import Graph


def test_the_example_learns(small: Graph):
    """On the small graph its loss falls, and the same seed gives the same losses."""
    losses = train(small, epochs=4, batch_size=16)
    assert losses[-1] < losses[0]
    assert train(small, epochs=4, batch_size=16) == losses
