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
        self._room = torch.empty(len(sides), 0, len(sides[0]))

    def of(self, block: slice) -> list[Tensor]:
        """Return the products of a block of queries with each side, which hold until the next block is asked for.

        Blocks come in order, a whole pass at a time, and only the last may be smaller than the others.
        """
        if self._kept is not None:
            kept = [torch.from_numpy(side[block]) for side in self._kept]
            if block.stop > self._filled:
                self._multiply(block, kept)
                self._filled = block.stop
            return kept
        size = block.stop - block.start
        if size > self._room.shape[1]:
            self._room = self._room.new_empty(len(self._sides), size, len(self._sides[0]))
        room = [side[:size] for side in self._room]
        self._multiply(block, room)
        return room

    def _multiply(self, block: slice, out: Sequence[Tensor]) -> None:
        asked = torch.from_numpy(self._asked_QD[block])
        for side, some_LD in zip(out, self._sides, strict=True):
            torch.matmul(asked, torch.from_numpy(some_LD).T, out=side)
