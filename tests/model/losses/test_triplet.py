"""The hinge triplet loss."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import normalize

from recsys.model.losses.triplet import HardestTripletLoss, hardest_triplet_loss

few = hypothesis_settings(max_examples=50)


def random_batch(n: int, seed: int, width: int = 4) -> tuple[Tensor, Tensor, Tensor]:
    """Return unit-norm rows and positives (double precision, with gradients) and a random mask."""
    rng = torch.Generator().manual_seed(seed)
    rows, positives = (normalize(torch.randn(n, width, generator=rng, dtype=torch.float64)) for _ in range(2))
    known = (torch.rand(n, n, generator=rng) < 0.3) | torch.eye(n, dtype=torch.bool)
    return rows.requires_grad_(), positives.requires_grad_(), known


def dense_loss(rows: Tensor, positives: Tensor, known: Tensor, margin: float, hardest: int, temperature: float):
    """The formula as it is printed, over the full matrix of similarities."""
    similarity = rows @ positives.T
    own = similarity.diagonal()[:, None]
    hard = similarity.masked_fill(known, -torch.inf).topk(min(hardest, len(rows)), dim=1).values
    violates = hard > own - margin
    weights = torch.where(violates, torch.exp(hard / temperature), 0.0).detach()
    weights = weights / weights.sum(dim=1, keepdim=True).clamp(min=1e-300)
    return torch.where(violates, weights * (hard - own + margin), 0.0).sum() / len(rows)


@pytest.mark.parametrize(("hardest", "expected"), [(10, 0.4176018), (1, 0.42)])
def test_a_loss_worked_by_hand(hardest: int, expected: float):
    """Three rows with margin 0.3 and temperature 0.1 give the number on paper."""
    # similarities, the own positive in brackets, the pair (2, 1) known:
    #   [0.80] 0.60  1.00   violators 0.60 and 1.00, weights 1/(1+e⁴) and 1/(1+e⁻⁴): 0.01799·0.1 + 0.98201·0.5 = 0.49281
    #    0.60 [0.80] 0.00   violator 0.60: 0.1
    #    0.96  1.00 [0.60]  violator 0.96: 0.66
    # mean (0.49281 + 0.1 + 0.66) / 3 = 0.41760; with one negative per row (0.5 + 0.1 + 0.66) / 3 = 0.42
    rows = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])
    positives = torch.tensor([[0.8, 0.6], [0.6, 0.8], [1.0, 0.0]])
    known = torch.eye(3, dtype=torch.bool)
    known[2, 1] = True
    loss = hardest_triplet_loss(rows, positives, known, margin=0.3, hardest=hardest, temperature=0.1)
    assert loss.item() == pytest.approx(expected, abs=1e-6)


def test_further_columns_are_negatives_only():
    """A hard column at 0.6 of row 0, known to row 1, adds its violation to row 0 alone: the number on paper."""
    # similarities, the own positive in brackets: [0.8] 0.6 | 0.6 and 0.6 [0.8] | 0.8 (known); margin 0.3
    # row 0: two violators of 0.1, weights 1/2 each: 0.1; row 1: 0.6 violates by 0.1: 0.1; mean 0.1
    # with margin 0.1 and the hard column at 0.96 of row 0: weight 1 on 0.96 − 0.8 + 0.1 = 0.26; mean 0.13
    rows, columns = torch.eye(2), torch.tensor([[0.8, 0.6], [0.6, 0.8], [0.6, 0.8]])
    known = torch.tensor([[True, False, False], [False, True, True]])
    assert hardest_triplet_loss(rows, columns, known, margin=0.3).item() == pytest.approx(0.1, abs=1e-6)
    columns[2] = torch.tensor([0.96, 0.28])
    assert hardest_triplet_loss(rows, columns, known, margin=0.1).item() == pytest.approx(0.13, abs=1e-6)


def test_the_module_says_what_it_is():
    """Settings and source are there for the model card, and comparing is the function with these settings."""
    loss = HardestTripletLoss(torch.nn.Identity(), margin=0.2, hardest=3)  # type: ignore[arg-type]
    assert loss.get_config_dict() == {"margin": 0.2, "hardest": 3, "temperature": 0.1}
    assert "2402.18434" in loss.citation
    rows, positives, known = random_batch(6, 1)
    expected = hardest_triplet_loss(rows, positives, known, margin=0.2, hardest=3)
    torch.testing.assert_close(loss.compute_loss_from_embeddings([rows, positives], known), expected)


@few
@given(
    n=st.integers(1, 12),
    seed=st.integers(0, 2**32),
    margin=st.sampled_from([0.1, 0.3, 1.0]),
    hardest=st.integers(1, 14),
)
def test_loss_and_gradient_are_those_of_the_dense_formula(n: int, seed: int, margin: float, hardest: int):
    """The sparse product is only a faster way to the same loss and the same gradient of rows and positives."""
    rows, positives, known = random_batch(n, seed)
    how = {"margin": margin, "hardest": hardest, "temperature": 0.1}
    loss, expected = hardest_triplet_loss(rows, positives, known, **how), dense_loss(rows, positives, known, **how)
    torch.testing.assert_close(loss, expected)
    gradients = torch.autograd.grad(loss, (rows, positives))
    torch.testing.assert_close(gradients, torch.autograd.grad(expected, (rows, positives)))


@few
@given(n=st.integers(2, 12), seed=st.integers(0, 2**32), data=st.data())
def test_a_known_positive_is_never_a_negative(n: int, seed: int, data: st.DataObject):
    """Moving a column that every row knows changes nothing, as long as it stays as near to its own row."""
    rows, positives, known = random_batch(n, seed)
    column = data.draw(st.integers(0, n - 1))
    known[:, column] = True
    before = hardest_triplet_loss(rows, positives, known, margin=1.0)
    own = rows[column].detach()
    away = torch.randn(own.shape, generator=torch.Generator().manual_seed(seed), dtype=own.dtype)
    moved = positives.detach().clone()
    moved[column] += 3 * (away - (away @ own) * own)
    torch.testing.assert_close(hardest_triplet_loss(rows, moved, known, margin=1.0), before)


@few
@given(n=st.integers(1, 12), seed=st.integers(0, 2**32))
def test_the_order_of_the_batch_does_not_matter(n: int, seed: int):
    """A permutation of rows, positives and mask leaves the loss unchanged."""
    rows, positives, known = random_batch(n, seed)
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed + 1))
    shuffled = hardest_triplet_loss(rows[order], positives[order], known[order][:, order])
    torch.testing.assert_close(shuffled, hardest_triplet_loss(rows, positives, known))


def test_nothing_to_push_apart_is_zero():
    """With every pair known, or every negative farther than the margin, loss and gradient are 0 and never NaN."""
    rows, positives, _ = random_batch(4, 0)
    loss = hardest_triplet_loss(rows, positives, torch.ones(4, 4, dtype=torch.bool))
    assert loss.item() == 0
    assert torch.autograd.grad(loss, rows)[0].abs().max() == 0
    apart = torch.eye(3)
    assert hardest_triplet_loss(apart, apart, torch.eye(3, dtype=torch.bool), margin=0.9).item() == 0
