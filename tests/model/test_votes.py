"""Votes of the nearest training queries."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.core.run import Table
from recsys.core.votes import BALLOT, NEIGHBOURS
from recsys.model import votes as module
from recsys.model.clicks import Clicks
from recsys.model.composition import unit
from recsys.model.ranking import top_k
from recsys.model.votes import Votes, ballots, clicks_of_table, collect_votes, payloads_of_queries, rank_with_votes


def make_clicks(pairs: dict[tuple[int, int], int], n_queries: int, n_items: int) -> Clicks:
    """Return clicks as training reads them."""
    query, item, clicks = np.array([[*pair, n] for pair, n in sorted(pairs.items())], np.int64).reshape(-1, 3).T
    return Clicks(query, item, clicks, n_queries, n_items)


def test_votes_worked_by_hand():
    """Of two voters at cosines 0.6 and 0.8, e² = 7.389056 apart in weight, both clicked item 1, the nearer item 2."""
    clicks = make_clicks({(0, 0): 9, (0, 1): 1, (1, 1): 1, (1, 2): 1}, 2, 3)
    queries = np.array([[0.8, 0.6], [0.6, 0.8]], np.float32)
    votes = collect_votes(np.array([[0, 0], [0, 1]], np.float32), queries, clicks)
    assert votes.position.tolist() == [1, 1, 1]
    assert votes.item.tolist() == [0, 1, 2]
    np.testing.assert_allclose(votes.share, [0.119203, 1, 0.880797], atol=1e-5)
    scores = np.zeros((1, 3), np.float32)
    votes.add_to(scores, 1, 0.5)
    np.testing.assert_allclose(scores, [[0.059601, 0.5, 0.440399]], atol=1e-5)


def test_only_the_nearest_vote():
    """With one voter too many, the farthest has no say; nor has a query without a known word."""
    angle = np.linspace(0, 1, NEIGHBOURS + 1)
    queries = np.vstack([np.column_stack([np.cos(angle), np.sin(angle)]), [[0, 0]]]).astype(np.float32)
    clicks = make_clicks({(row, row): 1 for row in range(len(queries))}, len(queries), len(queries))
    votes = collect_votes(queries[:1], queries, clicks)
    assert votes.item.tolist() == list(range(NEIGHBOURS))
    assert votes.share[0] == votes.share.max()


@given(st.integers(0, 10_000), st.sampled_from([1, 7, 20, 1000]))
def test_votes_are_the_same_in_parts(seed: int, columns: int):
    """However many queries are compared at once, the same of equal similarities vote."""
    rng = np.random.default_rng(seed)
    queries = rng.integers(-1, 2, (120, 2)).astype(np.float32)  # many of them the same, some zero
    pairs = {
        (int(row), int(item)): 1 for row, item in zip(rng.integers(0, 120, 90), rng.integers(0, 9, 90), strict=True)
    }
    clicks = make_clicks(pairs, 120, 9)
    found = []
    for part in (columns, 1 << 16):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "COLUMNS", part)
            found.append(collect_votes(queries[:5], queries, clicks))
    np.testing.assert_equal(vars(found[0]), vars(found[1]))


def test_a_ballot_has_an_end():
    """A query with more items than fit votes for those with the most clicks, the lower row first among equals."""
    pairs = {(0, item): 1 for item in range(BALLOT + 2)} | {(0, BALLOT + 1): 2, (1, 3): 1}
    kept = ballots(make_clicks(pairs, 2, BALLOT + 2))
    assert kept.item[kept.query == 0].tolist() == [*range(BALLOT - 1), BALLOT + 1]
    assert kept.item[kept.query == 1].tolist() == [3]


@given(st.dictionaries(st.tuples(st.integers(0, 5), st.integers(0, 7)), st.integers(1, 9), max_size=20))
def test_ballots_survive_the_run_directory(pairs: dict[tuple[int, int], int]):
    """What payloads say is what the queries vote for."""
    clicks = make_clicks(pairs, 6, 8)
    payloads = [*payloads_of_queries(clicks, slice(0, 2)), *payloads_of_queries(clicks, slice(2, 6))]
    table = Table([""] * 6, [""] * 6, np.zeros(6, np.int64), np.zeros(6, np.int64), payloads, np.zeros((6, 1)))
    found = clicks_of_table(table, 8)
    np.testing.assert_equal((found.query, found.item, found.clicks), (clicks.query, clicks.item, clicks.clicks))
    assert (found.n_queries, found.n_items) == (6, 8)


@settings(max_examples=50)
@given(st.integers(0, 10_000), st.integers(1, 12), st.sampled_from([0.0, 0.3, 1.0]))
def test_a_server_finds_the_same_without_scoring_everything(seed: int, k: int, weight: float):
    """The first k by dot product and the voted items, scored exactly, hold the first k of all."""
    rng = np.random.default_rng(seed)
    items, query = unit(rng.normal(size=(30, 4)).astype(np.float32)), unit(rng.normal(size=(1, 4)).astype(np.float32))
    voted = np.sort(rng.choice(30, 6, replace=False))
    votes = Votes(np.zeros(6, np.int64), voted, rng.random(6).astype(np.float32))
    nothing = (np.empty(0, np.int64), np.empty(0, np.int64))
    everything = rank_with_votes(query, items, k, excluded=nothing, votes=votes, weight=weight)[0]
    pool = sorted({*top_k(query, items, k)[0], *voted})
    share = dict(zip(voted, votes.share, strict=True))
    scores = items[pool] @ query[0] + np.float32(weight) * np.array([share.get(row, 0) for row in pool])
    assert [pool[i] for i in np.argsort(-scores, kind="stable")[:k]] == everything.tolist()


def test_a_zero_query_ranks_nothing():
    """Votes cannot help a text without a known word, and excluded items stay out though voted for."""
    votes = Votes(np.array([0, 1]), np.array([1, 1]), np.ones(2, np.float32))
    items, queries = np.eye(3, dtype=np.float32), np.array([[0, 0, 0], [1, 0, 0]], np.float32)
    ranked = rank_with_votes(queries, items, 2, excluded=([1], [1]), votes=votes, weight=1.0)
    assert ranked.tolist() == [[-1, -1], [0, 2]]
