"""Similarities of the same queries to the same items, which are asked for block by block and often.

Shape letters: D embedding width, L items, Q queries.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from recsys.model.composition import Vectors
from recsys.model.scratch import Scratch

KEPT = 1 << 30
"Bytes of similarities that are kept; of a larger catalogue they are computed each time."


class Similarities:
    """Dot products of queries with several vectors of each item.

    Args:
        asked_QD: Query vectors.
        sides: Item vectors of each kind, shape (L, D).
        scratch: Where similarities live that are kept.
        keep: Whether to keep them, up to :data:`KEPT`, for passes after the first one.
    """

    def __init__(self, asked_QD: Vectors, sides: Sequence[Vectors], scratch: Scratch, *, keep: bool) -> None:
        self._asked_QD = asked_QD
        self._sides = sides
        shape = (len(sides), len(asked_QD), len(sides[0]))
        self.are_kept = keep and 4 * math.prod(shape) <= KEPT
        self._kept = scratch.zeros(shape, np.float32) if self.are_kept else None
        self._filled = 0

    def of(self, block: slice) -> list[Tensor]:
        """Return the products of a block of queries with each side; blocks come in order, a whole pass at a time."""
        asked = torch.from_numpy(self._asked_QD[block])
        if self._kept is None:
            return [asked @ torch.from_numpy(some_LD).T for some_LD in self._sides]
        kept = [torch.from_numpy(side[block]) for side in self._kept]
        if block.stop > self._filled:
            for side, some_LD in zip(kept, self._sides, strict=True):
                torch.matmul(asked, torch.from_numpy(some_LD).T, out=side)
            self._filled = block.stop
        return kept
