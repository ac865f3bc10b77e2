"""How products of matrices are taken: where in bfloat16, by which of torch's libraries, and in what shapes.

Shape letters: N rows, M columns, D width.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.nn.functional import pad

ROUND = 64
"Rows and columns of products on CPUs are multiples of it."


def has_bfloat16(device: torch.device) -> bool:
    """Say whether a device multiplies bfloat16 itself, which is then two to four times as fast as float32.

    The factors keep 8 bits of 24, a relative error of 0.4 %; sums are float32. Enough to learn from and to look for
    near items with; what is measured or served is float32.

    Args:
        device: Of CUDA devices, and of CPUs by torch 2.11 and later, it is known; others are taken not to.
    """
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type != "cpu":
        return False
    able = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return any(able.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))


@contextmanager
def quick_products() -> Iterator[None]:
    """Let oneDNN take float32 products on CPUs; on AMD's it needs half the time of the other library.

    They are exact to the usual rounding, except on processors with AMX, which multiply factors of 8 bits in float32's
    place: enough to compare recipes and to learn by, and not for what is reported or served.
    """
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def products(row_ND: Tensor, column_MD: Tensor) -> Tensor:
    """Return the dot products of all rows and columns, shape (N, M).

    On CPUs zeros are appended up to a multiple of :data:`ROUND`. In bfloat16 oneDNN compiles code for every new shape,
    which takes longer than the product itself, and keeps it: batches of ever other shapes would fill a GiB.

    Args:
        row_ND: Vectors.
        column_MD: Vectors.
    """
    if row_ND.device.type != "cpu":
        return row_ND @ column_MD.T
    n, m = len(row_ND), len(column_MD)
    return (pad(row_ND, (0, 0, 0, -n % ROUND)) @ pad(column_MD, (0, 0, 0, -m % ROUND)).T)[:n, :m]
