"""Whether a recipe spares the items that few or none clicked."""

from __future__ import annotations

import numpy as np

from recsys.model.marks import Marks


def test_rare_items_are_spared_within_noise():
    """Of 100 queries 10 lose: mean loss 10 and twice √(1000/100) = 6.32; of 4 that lose and 2 that gain, 2 and 4.90."""
    plain = Marks(0, 0, 0, np.full(100, 100.0), np.empty(0))
    ten = Marks(0, 0, 0, np.where(np.arange(100) < 10, 0.0, 100.0), np.empty(0))
    assert not ten.spares_rare_items(plain)
    before, after = np.zeros(100), np.zeros(100)
    before[:4], after[4:6] = 100, 100
    assert Marks(0, 0, 0, after, after).spares_rare_items(Marks(0, 0, 0, before, before))
    assert Marks(0, 0, 0, np.empty(0), np.empty(0)).spares_rare_items(Marks(0, 0, 0, np.empty(0), np.empty(0)))
    assert Marks(0, 0, 0, np.zeros(99), before).spares_rare_items(Marks(0, 0, 0, np.full(99, 100.0), before))
    assert not Marks(0, 0, 0, before, ten.never_Q).spares_rare_items(Marks(0, 0, 0, before, plain.never_Q))
