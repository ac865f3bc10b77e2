"""Gold pairs of a block."""

from __future__ import annotations

import numpy as np

from recsys.model.block_pairs import BlockPairs
from recsys.model.metrics import Gold
from recsys.model.ranks import Leaders


def test_pairs_of_a_block():
    """Queries count from the block's first; of items with 0, 3 and 9 clicking queries one is new, one of the tail."""
    gold = Gold.from_pairs(np.array([0, 2, 2, 3]), np.array([2, 0, 1, 2]), 4)
    pairs = BlockPairs.of(slice(2, 4), gold, np.array([0, 3, 9]))
    assert [side.tolist() for side in pairs.all] == [[0, 0, 1], [0, 1, 2]]
    assert pairs.new_G.tolist() == [True, False, False]
    assert [side.tolist() for side in pairs.tail] == [[0], [1]]


def test_each_rare_item_is_ranked_as_new_beside_the_others_as_they_are():
    """Rare items have 9 and 5, a popular one 4, a new one 3; as new they have 6 and 2, and new ones get β on top."""
    pairs = BlockPairs(np.zeros(4, np.int64), np.arange(4), np.array([False, False, False, True]), np.array([0, 1]))
    clicked = Leaders(np.array([[9, 5, 4, -np.inf]], np.float32), np.arange(4))
    new = Leaders(np.array([[3]], np.float32), np.array([3]))
    own, as_new = np.array([9, 5, 4, 3], np.float32), np.array([6, 2], np.float32)

    def found(bonus: float) -> list[list[int]]:
        return [ranks.tolist() for ranks in pairs.ranks(clicked, new, own, as_new, bonus)]

    assert found(0.0) == [[0, 1, 2, 3], [0, 3, 2, 3]]
    assert found(3.0) == [[0, 2, 3, 1], [0, 2, 3, 1]]
