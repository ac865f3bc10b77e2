"""Similarities of the same queries to the same items, which are asked for block by block and often.

Shape letters: B queries of a block, D embedding width, L items, Q queries.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from recsys.model.composition import Vectors
from recsys.model.scratch import Scratch

KEPT = 1 << 29
"Bytes of similarities that are kept; of a larger catalogue they are computed each time."


class Similarities:
    """Dot products of queries with one vector of each item.

    Args:
        asked_QD: Query vectors.
        items_LD: Item vectors.
        scratch: Where similarities live that are kept.
        keep: Whether to keep them, up to :data:`KEPT`, for passes after the first one.
    """

    def __init__(self, asked_QD: Vectors, items_LD: Vectors, scratch: Scratch, *, keep: bool) -> None:
        self._asked_QD = asked_QD
        self._items_LD = items_LD
        shape = (len(asked_QD), len(items_LD))
        self.are_kept = keep and 4 * shape[0] * shape[1] <= KEPT
        self._kept_QL = scratch.zeros(shape, np.float32) if self.are_kept else None
        self._filled = 0
        self._room_BL = torch.empty(0, len(items_LD))

    def of(self, block: slice) -> Tensor:
        """Return the products (B, L) of a block of queries, which hold until the next block is asked for.

        Blocks come in order, a whole pass at a time, and only the last may be smaller than the others.
        """
        if self._kept_QL is not None:
            kept_BL = torch.from_numpy(self._kept_QL[block])
            if block.stop > self._filled:
                self._multiply(block, kept_BL)
                self._filled = block.stop
            return kept_BL
        size = block.stop - block.start
        if size > len(self._room_BL):
            self._room_BL = self._room_BL.new_empty(size, len(self._items_LD))
        room_BL = self._room_BL[:size]
        self._multiply(block, room_BL)
        return room_BL

    def _multiply(self, block: slice, out_BL: Tensor) -> None:
        torch.matmul(torch.from_numpy(self._asked_QD[block]), torch.from_numpy(self._items_LD).T, out=out_BL)
