"""How products are taken."""

from __future__ import annotations

import pytest
import torch

from recsys.model.precision import quick_products


def test_quick_products_are_near_the_exact_ones() -> None:
    """Products of unit vectors differ by less than two factors of 8 bits allow."""
    rng = torch.Generator().manual_seed(0)
    some, other = (torch.nn.functional.normalize(torch.randn(n, 64, generator=rng)) for n in (20, 300))
    with quick_products():
        quick = some @ other.T
    torch.testing.assert_close(quick.double(), some.double() @ other.double().T, atol=0.008, rtol=0)


def test_quick_products_end_with_an_error_too() -> None:
    """Products are afterwards what they were before."""

    @quick_products()
    def fail() -> None:
        raise ArithmeticError(torch.get_float32_matmul_precision())

    before = torch.get_float32_matmul_precision()
    with pytest.raises(ArithmeticError, match="medium"):
        fail()
    assert torch.get_float32_matmul_precision() == before
