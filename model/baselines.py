"""Rankings that a trained encoder has to beat: popularity, and BM25 over item titles and over training queries.

Shape letters: B queries, K ranks, L items, N documents, M nearest documents.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import Stemmer

from recsys.core.text import normalise
from recsys.model.clicks import Clicks
from recsys.model.ranking import Pairs, Rows, Scores, rank_blocks

NEIGHBOURS = 50
"Nearest training queries that vote."
K1 = 1.5
B = 0.75

Rank = Callable[[int, Pairs], Rows]
"Takes K and pairs never to rank, returns item rows of shape (B, K) as :func:`recsys.model.ranking.top_k` does."

_words = re.compile(r"[^\W_]+").findall


def tokenise(text: str) -> list[str]:
    """Return the stems (Snowball, English) of the runs of letters and digits in ``text``; no word is left out."""
    stems: list[str] = Stemmer.Stemmer("english").stemWords(_words(normalise(text)))
    return stems


class Bm25:
    """BM25 in Lucene's form, k1 = 1.5 and b = 0.75 (Robertson and Zaragoza, 2009).

    Args:
        texts: The documents, N of them.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._size = len(texts)
        # it runs JAX where that is installed, which would take three quarters of a GPU's memory and keep them
        os.environ.setdefault("JAX_PLATFORMS", "cpu")
        import bm25s

        tokens = [tokenise(text) for text in texts]
        self._index = bm25s.BM25(k1=K1, b=B) if any(tokens) else None
        if self._index is not None:
            self._index.index(tokens, show_progress=False)

    def scores(self, text: str) -> Scores:
        """Return the score of every document for ``text``, 0 where no word matches; shape (N)."""
        if self._index is None:
            return np.zeros(self._size, np.float32)
        ids = np.asarray(self._index.get_tokens_ids(tokenise(text)), np.int64)
        scores: Scores = self._index.get_scores_from_ids(ids)
        return scores

    def nearest(self, text: str, m: int) -> tuple[Rows, Scores]:
        """Return the ``m`` documents that match ``text`` best, all that tie with the last of them, and their scores."""
        scores = self.scores(text)
        matching = np.flatnonzero(scores)
        if matching.size > m:
            last = np.partition(scores[matching], matching.size - m)[matching.size - m]
            matching = matching[scores[matching] >= last]
        return matching, scores[matching]


def rank_by_popularity(degree_L: npt.ArrayLike, n_queries: int, k: int, excluded: Pairs) -> Rows:
    """Rank the items that the most training queries clicked, the same for every query.

    Args:
        degree_L: Distinct training queries that clicked each item.
        n_queries: B.
        k: Ranks wanted.
        excluded: Pairs that are never ranked.
    """
    degree = np.asarray(degree_L, np.float32)
    return rank_blocks(
        lambda block: np.tile(degree, (block.stop - block.start, 1)), n_queries, len(degree), k, excluded=excluded
    )


def rank_by_titles(item_texts: Sequence[str], query_texts: Sequence[str], k: int, excluded: Pairs) -> Rows:
    """Rank items by BM25 of their texts; an item that shares no word with the query is not ranked."""
    index = Bm25(item_texts)

    def score(block: slice) -> Scores:
        return _matches(np.stack([index.scores(text) for text in query_texts[block]]))

    return rank_blocks(score, len(query_texts), len(item_texts), k, excluded=excluded, description="bm25")


def rank_by_training_queries(
    training_texts: Sequence[str], clicks: Clicks, query_texts: Sequence[str], k: int, excluded: Pairs
) -> Rows:
    """Rank items by the votes of the :data:`NEIGHBOURS` training queries nearest by BM25.

    Each neighbour gives its squared score to every item that it clicked; an item without a vote is not ranked. All
    neighbours that tie with the last one vote too, so that the order of rows decides nothing.

    Args:
        training_texts: Texts by query row.
        clicks: Distinct training pairs, sorted by query row.
        query_texts: What is asked.
        k: Ranks wanted.
        excluded: Pairs that are never ranked.
    """
    index = Bm25(training_texts)
    starts = np.searchsorted(clicks.query, np.arange(len(training_texts) + 1))

    def score(block: slice) -> Scores:
        votes_BL = np.zeros((block.stop - block.start, clicks.n_items), np.float32)
        for votes_L, text in zip(votes_BL, query_texts[block], strict=True):
            rows, scores = index.nearest(text, NEIGHBOURS)
            sizes = starts[rows + 1] - starts[rows]
            # Positions of all clicks of all neighbours: each neighbour's start, repeated, plus a count from 0.
            offsets = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
            np.add.at(votes_L, clicks.item[np.repeat(starts[rows], sizes) + offsets], np.repeat(scores**2, sizes))
        return _matches(votes_BL)

    return rank_blocks(score, len(query_texts), clicks.n_items, k, excluded=excluded, description="bm25_queries")


def _matches(scores_BL: Scores) -> Scores:
    return np.where(scores_BL > 0, scores_BL, np.float32(-np.inf))
