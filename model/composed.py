"""Similarities of held-out queries to items composed in different ways, from one product per part of a composition.

The similarity to a composed vector is a combination of those to its parts:
(E(x)·E(z) + a · E(x)·own + b · E(x)·borrowed) / |E(z) + a · own + b · borrowed|.

Shape letters: B queries of a block, D embedding width, L items, Q held-out queries.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from recsys.model.composition import Composition, Rows, Vectors, compose, lengths_of_sums, weights_of_means
from recsys.model.query_side import QuerySide
from recsys.model.scratch import Scratch
from recsys.model.similarities import Similarities


class Composed:
    """Item vectors of every composition, and what held-out queries have in common with them.

    Args:
        items_LD: What stands in place of E(z).
        side: Of the queries.
        degree_L: Distinct training queries that clicked each item.
        scratch: Where vectors and similarities live.
    """

    def __init__(self, items_LD: Vectors, side: QuerySide, degree_L: Rows, scratch: Scratch) -> None:
        self._items_LD = items_LD
        self._side = side
        self._degree_L = degree_L
        self._scratch = scratch
        self._vectors: dict[Composition, Vectors] = {}
        self._factors: dict[Composition, Sequence[Tensor]] = {}
        self.start(keep=False)

    def start(self, *, keep: bool) -> None:
        """Begin to compare, and keep the similarities to titles for later passes, or not."""
        self._titles = Similarities(self._side.asked_QD, self._items_LD, self._scratch, keep=keep)

    def vectors(self, how: Composition) -> Vectors:
        """Return the item vectors; those of the last composition are at hand."""
        if how not in self._vectors:
            mean, near = self._side.mean_LD, self._borrowed_of(how)
            vectors = compose(self._items_LD, mean, self._degree_L, how, self._scratch, borrowed_LD=near)
            self._vectors = {how: vectors}
        return self._vectors[how]

    def similar(self, block: slice, hows: Sequence[Composition], out: Tensor) -> Iterator[Tensor]:
        """Yield for each composition the similarities (B, L) of a block, in ``out``; blocks come in order."""
        if len(hows) == 1 and not self._titles.are_kept:  # one product in place of two or three
            asked = torch.from_numpy(self._side.asked_QD[block])
            yield torch.matmul(asked, torch.from_numpy(self.vectors(hows[0])).T, out=out)
            return
        title, mean = self._titles.of(block), self._side.similar_to_means.of(block)
        for how in hows:
            text, own, *left = self._factors_of(how)
            similarity = torch.mul(title, text, out=out).addcmul_(mean, own)
            yield similarity.addcmul_(self._side.similar_to_borrowed.of(block), left[0]) if left else similarity

    def _borrowed_of(self, how: Composition) -> Vectors | None:
        return self._side.borrowed if how.borrowed else None

    def _factors_of(self, how: Composition) -> Sequence[Tensor]:
        """Return what the similarities to title, own and, where anything is borrowed, to that are multiplied with."""
        if how not in self._factors:
            length_L = lengths_of_sums(
                self._items_LD, self._side.mean_LD, self._degree_L, how, self._borrowed_of(how)
            ).astype(np.float64)
            text_L = np.where(length_L > 0, 1 / np.where(length_L > 0, length_L, 1), 0)
            weights = weights_of_means(self._degree_L, how)[: 2 if how.borrowed else 1]
            factors: Vectors = self._scratch.zeros((1 + len(weights), len(length_L)), np.float32)
            for row, weight_L in enumerate((np.ones(1), *weights)):
                factors[row] = weight_L * text_L
            self._factors[how] = torch.from_numpy(factors).unbind()
        return self._factors[how]
