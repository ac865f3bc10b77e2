"""The click log and the held-out log of the invented shop."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from recsys.ingest.shop_log import BLOCK_CLICKS, ShopLog

CLICKS = 60_000


@pytest.fixture(scope="module")
def logs() -> SimpleNamespace:
    """The default log: its columns as lists, and clicks per item by rank."""
    log = ShopLog(CLICKS, 42)
    blocks = [log.block(number) for number in range(log.blocks)]
    train, test = pa.concat_tables(blocks), log.test()
    rank = {f"p{number:07d}": rank for rank, number in enumerate(log.shop.number)}
    items, test_items = (np.array([rank[i] for i in table["item_id"].to_pylist()]) for table in (train, test))
    clicks = np.bincount(items, minlength=log.shop.items)
    return SimpleNamespace(
        log=log, blocks=blocks, train=train, test=test, items=items, test_items=test_items, clicks=clicks
    )


def test_the_log_has_the_size_asked_for(logs):
    """Blocks add up to the clicks; the held-out log has a fifteenth."""
    assert [len(block) for block in logs.blocks] == [BLOCK_CLICKS, CLICKS - BLOCK_CLICKS]
    assert len(logs.test) == logs.log.test_clicks == 4_000


def test_blocks_do_not_depend_on_each_other(logs):
    """Any block can be drawn alone, in any order, with the same rows."""
    other = ShopLog(CLICKS, 42)
    assert other.test() == logs.test
    assert other.block(1) == logs.blocks[1]
    assert other.block(0) == logs.blocks[0]


def test_another_seed_is_another_log(logs):
    """Seeds change the shop and its clicks."""
    assert ShopLog(CLICKS, 43).block(1) != logs.blocks[1]


def test_most_items_are_in_the_long_tail(logs):
    """More than half the items have fewer than 5 clicks, yet no item takes a tenth of all."""
    assert np.median(logs.clicks) < 5
    assert 0.6 < (logs.clicks < 5).mean() < 0.8
    assert logs.clicks.max() < 0.1 * CLICKS


def test_new_items_are_clicked_later_only(logs):
    """The last twentieth of the items has no click in the log and some in the held-out log."""
    listed = logs.log.shop.listed
    assert logs.log.shop.items - listed == 100
    assert logs.items.max() < listed
    assert 0.05 < (logs.test_items >= listed).mean() < 0.25


def test_the_held_out_log_reaches_into_the_tail(logs):
    """A fifth or more of the held-out clicks go to items with fewer than 5 clicks in the log."""
    assert (logs.clicks[logs.test_items] < 5).mean() > 0.2


def test_held_out_queries_are_mostly_unseen(logs):
    """Most queries of the held-out log never occur in the click log; some do."""
    known = set(logs.train["query_text"].to_pylist())
    queries = set(logs.test["query_text"].to_pylist())
    assert 0.03 < len(queries & known) / len(queries) < 0.3


def test_the_held_out_log_is_later(logs):
    """It begins when the click log ends, four weeks after that began."""
    train, test = (table["timestamp"].to_pylist() for table in (logs.train, logs.test))
    assert (train[0][:10], test[0][:10]) == ("2025-03-01", "2025-03-29")
    assert max(train)[:10] <= min(test)[:10]


def test_time_runs_forward(logs):
    """Within a block times never go back, and a block starts after the one before it started."""
    for block in logs.blocks:
        times = block["timestamp"].to_pylist()
        assert times == sorted(times)
    assert logs.blocks[0]["timestamp"][0].as_py() < logs.blocks[1]["timestamp"][0].as_py()


def test_sessions_have_one_to_eight_clicks(logs):
    """No session is longer, all lengths occur, and no session is in two blocks."""
    sessions = [block["session_id"].to_pylist() for block in logs.blocks]
    lengths = Counter(Counter(sessions[0] + sessions[1]).values())
    assert set(lengths) == set(range(1, 9))
    assert not set(sessions[0]) & set(sessions[1])


def test_no_query_is_the_key_of_an_item(logs):
    """Most queries clicked ten times or more lead to several items, and a popular item is found by many queries."""
    clicked: dict[str, Counter[int]] = {}
    for query, item in zip(logs.train["query_text"].to_pylist(), logs.items, strict=True):
        clicked.setdefault(query, Counter())[item] += 1
    frequent = [items for items in clicked.values() if items.total() >= 10]
    assert np.mean([len(items) > 1 for items in frequent]) > 0.8
    queries = Counter(item for items in clicked.values() for item in items)
    assert queries[0] > 20


def test_clicks_follow_what_was_meant_but_not_always(logs):
    """Clicks of a session under one query mostly go to one department; now and then one goes astray."""
    department = logs.log.shop.department[logs.items]
    pairs: dict[tuple[str, str], list[int]] = {}
    keys = zip(logs.train["session_id"].to_pylist(), logs.train["query_text"].to_pylist(), strict=True)
    for key, value in zip(keys, department, strict=True):
        pairs.setdefault(key, []).append(value)
    agree = [len(set(values)) == 1 for values in pairs.values() if len(values) > 1]
    assert 0.9 < np.mean(agree) < 0.99


def test_the_smallest_log_works():
    """A hundred clicks are enough for a shop, a log and a held-out log."""
    log = ShopLog(100, 0)
    assert len(log.block(0)) == 100
    assert len(log.test()) == 20
