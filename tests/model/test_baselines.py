"""Popularity and BM25 on collections small enough to rank by hand."""

from __future__ import annotations

import math
import os

import numpy as np
import pytest

from recsys.model import baselines
from recsys.model.baselines import Bm25, rank_by_popularity, rank_by_titles, rank_by_training_queries, tokenise
from recsys.model.clicks import Clicks

NOTHING = ([], [])


def clicks_of(pairs, n_queries, n_items):
    """Return one click per pair."""
    query, item = np.array(sorted(pairs), np.int64).reshape(-1, 2).T
    return Clicks(query, item, np.ones(len(query), np.int64), n_queries, n_items)


def test_words_are_stems_without_case_and_punctuation():
    """Case, width, punctuation and underscores separate or vanish; single letters stay."""
    assert tokenise("Running_SHOES, size-9 ＡＢ c") == ["run", "shoe", "size", "9", "ab", "c"]


def test_bm25_by_hand():
    """Two documents of average length, the word in one: ln(1 + 1.5/1.5) · 1/(1 + 1.5) = 0.2773."""
    scores = Bm25(["red shoe", "blue lamp"]).scores("shoes")
    assert scores == pytest.approx([math.log(2) / 2.5, 0], abs=1e-6)


@pytest.mark.parametrize("documents", [["red", ""], ["", ""], ["--", "?"]])
def test_unknown_words_score_nothing(documents):
    """A text without a known word, or documents without any word, give zeros instead of an error."""
    for text in ("", "xyzzy", "!"):
        assert Bm25(documents).scores(text).tolist() == [0, 0]


def test_popularity_is_the_same_for_all_but_for_the_filter():
    """Most clicking queries first, ties by row; a filtered pair moves up what follows."""
    ranked = rank_by_popularity([1, 5, 0, 5], 2, 3, ([1], [1]))
    assert ranked.tolist() == [[1, 3, 0], [3, 0, 2]]


def test_titles_rank_only_what_matches():
    """An item that shares no word is not ranked, and a filtered one makes room."""
    titles = ["red shoe", "lamp", "red wool shoe", "table"]
    ranked = rank_by_titles(titles, ["red shoes", "mug"], 3, NOTHING)
    assert ranked.tolist() == [[0, 2, -1], [-1, -1, -1]]
    assert rank_by_titles(titles, ["red shoes"], 3, ([0], [0])).tolist() == [[2, -1, -1]]


def test_neighbours_vote_for_what_they_clicked():
    """Item 1 has two voters and leads; item 3 has one of them; item 2 was clicked by a query without a common word."""
    clicks = clicks_of({(0, 1), (1, 1), (1, 3), (2, 2)}, 3, 4)
    ranked = rank_by_training_queries(["red shoe", "red lamp", "oak"], clicks, ["red", "mug"], 3, NOTHING)
    assert ranked.tolist() == [[1, 3, -1], [-1, -1, -1]]


def test_the_nearer_neighbour_weighs_more():
    """The query that shares both words outvotes the one that shares one."""
    clicks = clicks_of({(0, 0), (1, 1)}, 3, 2)
    ranked = rank_by_training_queries(["red lamp", "red shoe", "oak"], clicks, ["red shoes"], 2, NOTHING)
    assert ranked.tolist() == [[1, 0]]


def test_only_the_nearest_vote_and_ties_vote_together(monkeypatch):
    """With one vote to give, a clear winner votes alone; two that tie both vote, whatever their order."""
    monkeypatch.setattr(baselines, "NEIGHBOURS", 1)
    clicks = clicks_of({(0, 0), (1, 1), (2, 2)}, 3, 3)
    texts = ["red shoe", "red lamp", "oak"]
    assert rank_by_training_queries(texts, clicks, ["red shoe"], 2, NOTHING).tolist() == [[0, -1]]
    assert rank_by_training_queries(texts, clicks, ["red"], 2, NOTHING).tolist() == [[0, 1]]


def test_bm25_leaves_the_gpu_alone(monkeypatch: pytest.MonkeyPatch):
    """JAX, which the BM25 library runs where it is there, is told to stay off GPUs, unless somebody said otherwise."""
    monkeypatch.delenv("JAX_PLATFORMS", raising=False)
    Bm25(["red shoes"])
    assert os.environ["JAX_PLATFORMS"] == "cpu"
    monkeypatch.setenv("JAX_PLATFORMS", "cuda")
    Bm25(["red shoes"])
    assert os.environ["JAX_PLATFORMS"] == "cuda"
