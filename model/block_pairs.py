"""Gold pairs of a block of held-out queries, and where their items rank.

Items with few clicks are ranked twice, as they are and as if nobody had clicked them: new items are as rare among
held-out clicks as they are frequent in catalogues, and a choice must not hang on the few.

Shape letters: F pairs with an item of the tail, G pairs, L items.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from recsys.model.marks import in_slices
from recsys.model.metrics import Gold
from recsys.model.ranks import Leaders, ranks

Rows = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float32]


@dataclass(frozen=True)
class BlockPairs:
    """Gold pairs of a block.

    Attributes:
        position_G: Query position in the block.
        item_G: Item row.
        new_G: True where nobody clicked the item.
        few_F: Places of the pairs whose items are of the tail.
    """

    position_G: Rows
    item_G: Rows
    new_G: npt.NDArray[np.bool_]
    few_F: Rows

    @classmethod
    def of(cls, block: slice, gold: Gold, degree_L: Rows) -> Self:
        """Return the pairs of the queries of ``block``; ``degree_L`` counts distinct training queries of items."""
        some = slice(gold.indptr[block.start], gold.indptr[block.stop])
        position_G, item_G = gold.positions[some] - block.start, gold.indices[some]
        few_F = np.flatnonzero(in_slices(degree_L[item_G])["tail"])
        return cls(position_G, item_G, degree_L[item_G] == 0, few_F)

    @property
    def all(self) -> tuple[Rows, Rows]:
        """Query positions and item rows of all pairs."""
        return self.position_G, self.item_G

    @property
    def tail(self) -> tuple[Rows, Rows]:
        """Query positions and item rows of the pairs whose items are of the tail."""
        return self.position_G[self.few_F], self.item_G[self.few_F]

    def ranks(self, clicked: Leaders, new: Leaders, own_G: Scores, new_F: Scores, bonus: float) -> tuple[Rows, Rows]:
        """Return the ranks, from 0, of all pairs' items as they are, and with those of the tail as if they were new.

        Args:
            clicked: The first items of those that were clicked.
            new: The first of new ones, without their bonus.
            own_G: Scores of the pairs, those of new items without their bonus; −inf for what is never ranked.
            new_F: What items of the tail would have in place of these.
            bonus: β.
        """
        leaders, added = ((clicked, 0.0), (new, bonus)), np.float32(bonus)
        rank_G = ranks(leaders, *self.all, np.where(self.new_G, own_G + added, own_G))
        as_new_G = rank_G.copy()
        own_F = np.where(own_G[self.few_F] > -np.inf, new_F + added, np.float32(-np.inf))
        as_new_G[self.few_F] = ranks(leaders, *self.tail, own_F)
        return rank_G, as_new_G
