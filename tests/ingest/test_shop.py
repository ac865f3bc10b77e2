"""The invented shop's items and their popularity."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.ingest.shop import SHIFT, Groups, build_shop, generator


@settings(max_examples=25)
@given(clicks=st.integers(100, 200_000), seed=st.integers(0, 1000))
def test_no_structure_points_to_one_item(clicks, seed):
    """Whatever a query can say (kind, material, use, brand) is true of two items or more."""
    shop = build_shop(clicks, seed)
    structures = np.stack([shop.kind, shop.material, shop.use, shop.brand])
    assert np.unique(structures, axis=1, return_counts=True)[1].min() >= 2
    assert sorted(shop.number) == list(range(shop.items))
    assert 0 < shop.listed < shop.items
    assert len(set(shop.brands)) == len(shop.brands) > shop.brand.max()


def test_the_shop_grows_with_its_log():
    """The default log of 60,000 clicks has 2,000 items, one of ten million clicks 333,333."""
    assert build_shop(60_000, 1).items == 2_000
    assert build_shop(10_000_000, 1).items == 333_333


def test_ranks_follow_the_power_law():
    """With c = 0.01 the better half takes (1/c - 1/(0.5 + c)) / (1/c - 1/(1 + c)) = 98.04/99.01 of the clicks."""
    assert SHIFT == 0.01
    shop = build_shop(60_000, 0)
    share = 98.0392 / 99.0099
    below, above = shop.ranks(np.array([share - 1e-4, share + 1e-4]))
    assert below < shop.listed / 2 <= above
    assert shop.ranks(np.array([0.0, 1 - 1e-12])).tolist() == [0, shop.listed - 1]


def test_a_pick_shares_the_group_and_follows_popularity():
    """Of members with popularity 3 and 1 the first is drawn three times in four; in a group of new items, itself."""
    groups = Groups.by(np.array([3.0, 5.0, 1.0]), np.array([7, 8, 7, 9]))
    picked = groups.pick(np.repeat([2, 1, 3], 4_000), generator(0))
    assert set(picked[:4_000]) == {0, 2}
    assert (picked[:4_000] == 0).mean() == pytest.approx(0.75, abs=0.03)
    assert set(picked[4_000:8_000]) == {1}
    assert set(picked[8_000:]) == {3}


def test_groups_join_all_keys():
    """Items are together when they agree in every key."""
    groups = Groups.by(np.ones(4), np.array([0, 0, 1, 1]), np.array([0, 1, 0, 0]))
    assert groups.of_item.tolist() == [0, 1, 2, 2]
    assert groups.mass.tolist() == [1, 1, 2]
