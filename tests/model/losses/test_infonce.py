"""Masked InfoNCE."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.functional import normalize

from recsys.model.losses.infonce import MaskedInfoNCELoss, masked_infonce_loss

few = hypothesis_settings(max_examples=50)


def random_batch(n: int, extra: int, seed: int):
    """Return unit-norm rows and columns, and a random mask whose diagonal is True."""
    rng = torch.Generator().manual_seed(seed)
    rows, columns = (normalize(torch.randn(size, 4, generator=rng, dtype=torch.float64)) for size in (n, n + extra))
    known = torch.rand(n, n + extra, generator=rng) < 0.3
    known[:, :n] |= torch.eye(n, dtype=torch.bool)
    return rows, columns, known


def test_a_loss_worked_by_hand():
    """Two rows at temperature 0.5 against a further negative, unknown and known to one of them: the number on paper."""
    # similarities, the own positive in brackets: [1.0] 0.0 0.6 and 0.0 [1.0] 0.8; exponents of them doubled
    # row 0: −log(e²/(e² + 1 + e^1.2)) = log(1 + e^−2 + e^−0.8) = 0.460367
    # row 1: log(1 + e^−2 + e^−0.4) = 0.590924; with column 2 known log(1 + e^−2) = 0.126928
    rows, columns = torch.eye(2), torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])
    known = torch.eye(2, 3, dtype=torch.bool)
    loss = masked_infonce_loss(rows, columns, known, temperature=0.5)
    assert loss.item() == pytest.approx((0.460367 + 0.590924) / 2, abs=1e-5)
    known[1, 2] = True
    loss = masked_infonce_loss(rows, columns, known, temperature=0.5)
    assert loss.item() == pytest.approx((0.460367 + 0.126928) / 2, abs=1e-5)


@few
@given(n=st.integers(1, 9), extra=st.integers(0, 5), seed=st.integers(0, 2**32))
def test_a_known_positive_is_never_a_negative(n: int, extra: int, seed: int):
    """The loss is that over each row's own and unknown columns alone, summed by hand."""
    rows, columns, known = random_batch(n, extra, seed)
    similarity = (rows @ columns.T / 0.05).tolist()
    expected = 0.0
    for i, row in enumerate(similarity):
        unknown = torch.tensor([s for j, s in enumerate(row) if j == i or not known[i, j]], dtype=torch.float64)
        expected += float(unknown.logsumexp(0)) - row[i]
    assert masked_infonce_loss(rows, columns, known).item() == pytest.approx(expected / n)


@few
@given(n=st.integers(1, 9), extra=st.integers(0, 5), seed=st.integers(0, 2**32))
def test_the_order_of_the_batch_does_not_matter(n: int, extra: int, seed: int):
    """A permutation of rows, columns and mask leaves the loss unchanged."""
    rows, columns, known = random_batch(n, extra, seed)
    rng = torch.Generator().manual_seed(seed + 1)
    order, rest = torch.randperm(n, generator=rng), n + torch.randperm(extra, generator=rng)
    column_order = torch.cat([order, rest])
    shuffled = masked_infonce_loss(rows[order], columns[column_order], known[order][:, column_order])
    torch.testing.assert_close(shuffled, masked_infonce_loss(rows, columns, known))


def test_the_mask_itself_is_left_alone():
    """The caller's mask keeps its diagonal: other terms use it too."""
    rows, columns, known = random_batch(4, 2, 0)
    before = known.clone()
    masked_infonce_loss(rows, columns, known)
    assert (known == before).all()


def test_it_says_what_it_is():
    """Settings and source are there for the model card."""
    loss = MaskedInfoNCELoss(nn.Identity(), temperature=0.1)  # type: ignore[arg-type]
    assert loss.get_config_dict() == {"temperature": 0.1}
    assert "1807.03748" in loss.citation
