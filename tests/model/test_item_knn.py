"""Item-kNN."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from recsys.model.item_knn import item_neighbours, rank_by_item_neighbours

CLICKS = csr_array(np.array([[3, 1, 0, 0], [1, 1, 0, 0], [1, 0, 2, 0]], dtype=np.float64))


def test_cosine_by_hand():
    """Item 0 was clicked by queries {0, 1, 2}, item 1 by {0, 1}, item 2 by {2}: 2 / √(3 · 2) and 1 / √(3 · 1)."""
    near = item_neighbours(CLICKS).toarray()
    expected = np.zeros((4, 4))
    expected[0, 1] = expected[1, 0] = 2 / 6**0.5
    expected[0, 2] = expected[2, 0] = 1 / 3**0.5
    assert near == pytest.approx(expected)
    assert item_neighbours(CLICKS, neighbours=1).toarray()[0].nonzero()[0].tolist() == [1]


def test_items_clicked_with_those_found_are_ranked_too():
    """Only item 1 is called kettle; item 0 follows as its neighbour, item 2 shares no query with it."""
    ranked = rank_by_item_neighbours(["red pot", "kettle", "pan", "lid"], CLICKS, ["kettle"], 3, ([], []))
    assert ranked.tolist() == [[1, 0, -1]]
    without = rank_by_item_neighbours(["red pot", "kettle", "pan", "lid"], CLICKS, ["kettle"], 3, ([0], [1]))
    assert without.tolist() == [[0, -1, -1]]
