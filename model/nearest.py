"""The items nearest to each query, exact and block by block.

Shape letters: T queries, K near items kept per query, L items, D embedding width.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch

from recsys.model.composition import Vectors
from recsys.model.precision import has_bfloat16
from recsys.model.ranking import BLOCK_SCORES
from recsys.model.scratch import MEMORY, Scratch, pieces

Rows = npt.NDArray[np.int64]
Near = npt.NDArray[np.int32]
LeftOut = Callable[[slice], tuple[Rows, Rows]]
"Of a slice of the queries returns places in it and items: the pairs that are left out."

COLUMNS = 1 << 16
"Items that are compared at once, so that many queries share one pass over a large catalogue."


def nearest(
    queries_TD: Vectors, items_LD: Vectors, left_out: LeftOut, k: int, device: torch.device, scratch: Scratch = MEMORY
) -> Near:
    """Return the ``k`` items of highest dot product per query, the nearest first.

    In bfloat16 where the device has it, and then items that are equally near to three digits come in any order.

    Args:
        queries_TD: Query vectors.
        items_LD: Item vectors.
        left_out: Pairs that are no answer.
        k: Items wanted per query.
        device: Where to multiply.
        scratch: Where the result lives.

    Returns:
        Item rows, −1 where fewer are left; shape (T, min(k, L)).
    """
    items = moved(items_LD, device, scratch)
    k = min(k, len(items))
    near_TK: Near = scratch.zeros((len(queries_TD), k), np.int32)
    size = max(1, BLOCK_SCORES // min(len(items), COLUMNS))
    for start in range(0, len(queries_TD), size):
        some = slice(start, min(start + size, len(queries_TD)))
        asked = torch.from_numpy(queries_TD[some]).to(device, items.dtype)
        score, row = _best(asked, items, *left_out(some), k)
        near_TK[some] = row.masked_fill_(score == -torch.inf, -1).cpu().numpy()
    return near_TK


def moved(items_LD: Vectors, device: torch.device, scratch: Scratch) -> torch.Tensor:
    """Return the items on ``device``, in bfloat16 where it has it, which on a CPU live where ``scratch`` says."""
    kind = torch.bfloat16 if has_bfloat16(device) else torch.float32
    if device.type != "cpu" or kind == torch.float32:
        return torch.from_numpy(items_LD).to(device, kind)
    there = torch.from_numpy(scratch.zeros(items_LD.shape, np.int16)).view(kind)
    for some in pieces(len(items_LD)):
        there[some] = torch.from_numpy(items_LD[some])
    return there


def _best(
    asked: torch.Tensor, items: torch.Tensor, position: Rows, item: Rows, k: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the ``k`` highest scores of each query, −inf for what is left out, and their rows."""
    found = []
    for first in range(0, len(items), COLUMNS):
        part = items[first : first + COLUMNS]
        scores = asked @ part.T
        inside = (item >= first) & (item < first + len(part))
        scores[torch.from_numpy(position[inside]), torch.from_numpy(item[inside] - first)] = -torch.inf
        score, row = scores.topk(min(k, len(part)), dim=1)
        found.append((score, row + first))
    if len(found) == 1:
        return found[0]
    every, rows = (torch.cat(side, dim=1) for side in zip(*found, strict=True))
    score, place = every.topk(k, dim=1)
    return score, rows.gather(1, place)
