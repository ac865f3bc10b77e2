"""Means of token vectors against torch's own bag."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from recsys.model.token_means import TokenMeans

texts = st.lists(st.lists(st.integers(0, 6), max_size=5), min_size=1, max_size=8)


def flat(some: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return token ids and where each text begins."""
    sizes = torch.tensor([0, *map(len, some[:-1])])
    return torch.tensor([token for text in some for token in text], dtype=torch.long), sizes.cumsum(0)


@given(some=texts, seed=st.integers(0, 2**32))
def test_means_and_gradient_are_those_of_the_bag(some: list[list[int]], seed: int):
    """Whatever the texts, empty ones and repeated tokens too, both give the same numbers."""
    rng = torch.Generator().manual_seed(seed)
    weight = torch.randn(7, 3, generator=rng)
    ours, theirs = TokenMeans(weight.clone()), nn.EmbeddingBag.from_pretrained(weight, freeze=False)
    found, expected = ours(*flat(some)), theirs(*flat(some))
    torch.testing.assert_close(found, expected)
    gradient = torch.randn(len(some), 3, generator=rng)
    found.backward(gradient)
    expected.backward(gradient)
    torch.testing.assert_close(ours.weight.grad.to_dense(), theirs.weight.grad)


def test_a_gradient_worked_by_hand():
    """Of texts "0 2" and "2" token 0 gets half the first gradient, token 2 that half and the second; each once."""
    bag = TokenMeans(torch.zeros(4, 1))
    bag(torch.tensor([0, 2, 2]), torch.tensor([0, 2])).backward(torch.tensor([[1.0], [10.0]]))
    assert bag.weight.grad._nnz() == 2
    assert bag.weight.grad.to_dense().tolist() == [[0.5], [0.0], [10.5], [0.0]]
