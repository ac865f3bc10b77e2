"""Metrics against numbers worked by hand and against the plain definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.model.metrics import Gold, evaluate_ranking, find_hits, propensities, query_figures

KS = (1, 2, 3)


def evaluate(ranked, pairs, **options):
    """Evaluate one ranking per query; ``pairs`` are (position, row)."""
    gold = Gold.from_pairs(*zip(*pairs, strict=True), len(ranked)) if pairs else Gold.from_pairs([], [], len(ranked))
    return evaluate_ranking(np.array(ranked), gold, **{"ks": KS, "recall_ks": KS} | options)


def test_precision_recall_and_ndcg_by_hand():
    """Gold {0, 3, 5} ranked 2, 0, 3: two hits in three, DCG 1/log2 3 + 1/2 of an ideal 1 + 1/log2 3 + 1/2."""
    figures = evaluate([[2, 0, 3]], [(0, 0), (0, 3), (0, 5)])
    assert (figures["P@1"], figures["P@2"], figures["P@3"]) == pytest.approx((0, 50, 66.6667), abs=1e-4)
    assert (figures["R@1"], figures["R@2"], figures["R@3"]) == pytest.approx((0, 33.3333, 66.6667), abs=1e-4)
    assert figures["nDCG@3"] == pytest.approx(53.0721, abs=1e-4)
    assert "PSP@1" not in figures


def test_ndcg_is_full_when_all_gold_items_lead():
    """The ideal stops at the number of gold items, so one gold item at rank 1 gives 100 at any cut-off; P does not."""
    figures = evaluate([[4, 0, 1]], [(0, 4)])
    assert figures["nDCG@3"] == 100
    assert figures["P@3"] == pytest.approx(100 / 3)


def test_propensities_by_hand():
    """N = 1000: C = (ln 1000 − 1)·2.5^0.55 = 9.7789; 1/p is 8.8242 for no click and 3.5522 for ten."""
    assert 1 / propensities([0, 10], 1000) == pytest.approx([8.8242, 3.5522], abs=1e-4)


def test_propensities_never_leave_their_range():
    """With too few queries for a positive C every propensity is 1."""
    assert propensities([0, 5], 2).tolist() == [1, 1]
    assert propensities([0, 5], 0).tolist() == [1, 1]


def test_psp_is_a_ratio_of_means():
    """1/p = 1, 2, 4: attained 1 and 2 of best 4 and 2 make 3/6 at 1; at 2, the best are 5 and 2: 3/7."""
    figures = evaluate([[0, 1, -1], [1, -1, -1]], [(0, 0), (0, 2), (1, 1)], propensity_L=1 / np.array([1.0, 2, 4]))
    assert figures["PSP@1"] == pytest.approx(50)
    assert figures["PSP@2"] == pytest.approx(300 / 7)


def test_values_by_query():
    """Hand-worked: one of two gold items found at rank 1; nothing found; and the query without gold has no value."""
    gold = Gold.from_pairs([0, 0, 1], [0, 1, 2], 3)
    ranked = np.array([[0, 3], [3, 0], [1, 2]])
    found = query_figures(ranked, gold, propensity_L=np.array([0.5, 0.25, 0.5, 1.0]), ks=(1,), recall_ks=(2,))
    assert {name: values.tolist() for name, values in found.items()} == {
        "P@1": [1.0, 0.0],
        "nDCG@1": [1.0, 0.0],
        "PSP@1": [2 / 3, 0.0],  # 1/p = 2, over the mean of the best sums, (4 + 2) / 2
        "R@2": [0.5, 0.0],
    }


def test_a_query_without_gold_takes_no_part():
    """Adding a query whose gold is empty changes no figure."""
    alone = evaluate([[0, 1, 2]], [(0, 0), (0, 5)])
    assert evaluate([[0, 1, 2], [0, 1, 2]], [(0, 0), (0, 5)]) == alone


def test_nothing_to_measure_is_zero():
    """Without any gold every figure is 0, not NaN."""
    assert set(evaluate([[0, 1, 2]], [], propensity_L=np.ones(3)).values()) == {0.0}


def test_an_item_beyond_the_ranking_is_a_miss():
    """A gold item with a row that no ranking can hold lowers recall and raises the best attainable PSP."""
    figures = evaluate([[0, 1, 2]], [(0, 0), (0, 9)], propensity_L=np.ones(10))
    assert (figures["R@3"], figures["PSP@2"]) == (50, 50)


def test_padding_is_never_a_hit():
    """−1 matches nothing, in a block whose keys would otherwise meet the query before."""
    gold = Gold.from_pairs([0, 1], [4, 4], 2)
    assert find_hits(np.array([[-1, 4], [-1, -1]]), gold).tolist() == [[False, True], [False, False]]


def test_repeated_pairs_count_once():
    """Gold is a set of pairs, whatever the order and number of clicks."""
    gold = Gold.from_pairs([1, 0, 1, 1], [7, 3, 2, 7], 3)
    assert (gold.indptr.tolist(), gold.indices.tolist()) == ([0, 1, 3, 3], [3, 2, 7])
    assert gold.sizes.tolist() == [1, 2, 0]


def test_restricting_keeps_the_queries():
    """Gold cut down to some pairs still has a place for every query."""
    gold = Gold.from_pairs([0, 0, 1], [1, 2, 2], 2).restrict(np.array([True, False, False]))
    assert (gold.indptr.tolist(), gold.indices.tolist()) == ([0, 1, 1], [1])


def reference(ranked, gold, inverse, k):
    """Return P, nDCG, PSP and R at k by the definitions, query by query."""
    pairs = [(r, y) for r, y in zip(ranked, gold, strict=True) if y]
    hits = [[item in y for item in r[:k]] for r, y in pairs]
    dcg = [sum(h / math.log2(j + 2) for j, h in enumerate(row)) for row in hits]
    ideal = [sum(1 / math.log2(j + 2) for j in range(min(k, len(y)))) for _, y in pairs]
    attained = sum(sum(inverse[item] for item in r[:k] if item in y) for r, y in pairs)
    best = sum(sum(sorted((inverse[item] for item in y), reverse=True)[:k]) for _, y in pairs)
    n = len(pairs) or 1
    return {
        f"P@{k}": 100 * sum(map(sum, hits)) / k / n,
        f"nDCG@{k}": 100 * sum(d / i for d, i in zip(dcg, ideal, strict=True)) / n,
        f"PSP@{k}": 100 * attained / best if best else 0,
        f"R@{k}": 100 * sum(sum(h) / len(y) for h, (_, y) in zip(hits, pairs, strict=True)) / n,
    }


@given(st.data())
def test_all_metrics_match_their_definitions(data):
    """Vectorised figures equal those of loops over queries and ranks."""
    n_queries, n_items = data.draw(st.integers(1, 5)), data.draw(st.integers(3, 8))
    ranked = [
        (data.draw(st.lists(st.integers(0, n_items - 1), unique=True, max_size=3)) + [-1] * 3)[:3]
        for _ in range(n_queries)
    ]
    gold = [data.draw(st.sets(st.integers(0, n_items + 1))) for _ in range(n_queries)]
    inverse = np.array(data.draw(st.lists(st.floats(1, 9), min_size=n_items + 2, max_size=n_items + 2)))
    pairs = [(q, item) for q, items in enumerate(gold) for item in items]
    figures = evaluate(ranked, pairs, propensity_L=1 / inverse)
    expected = {name: value for k in KS for name, value in reference(ranked, gold, inverse, k).items()}
    assert figures == pytest.approx(expected)
