"""Votes of the nearest training queries, for many queries at once.

Shape letters: B queries, D embedding width, L items, M nearest training queries, V training queries with clicks.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.core.prototypes import Prototypes, choose_prototypes
from recsys.core.run import Table
from recsys.core.votes import BALLOT, NEIGHBOURS, ballots_of_table, shares
from recsys.model.clicks import Clicks
from recsys.model.ranges import joined_ranges
from recsys.model.ranking import BLOCK_SCORES, Pairs, best, rank_blocks, without_nan

Rows = npt.NDArray[np.int64]
Vectors = npt.NDArray[np.float32]

COLUMNS: Final = 1 << 16
"Training queries that are compared at once."


@dataclass(frozen=True)
class Votes:
    """What the voters of each query give to items; each (query, item) once, sorted.

    Attributes:
        position: Query positions.
        item: Item rows.
        share: Summed shares of the voters that clicked the item, in (0, 1].
    """

    position: Rows
    item: Rows
    share: Vectors

    def add_to(self, scores_BL: Vectors, start: int, weight: float) -> None:
        """Add weight · share to the scores of the queries from position ``start`` on, in place."""
        first, last = np.searchsorted(self.position, (start, start + len(scores_BL)))
        some = slice(first, last)
        scores_BL[self.position[some] - start, self.item[some]] += np.float32(weight) * self.share[some]


def rank_with_votes(
    queries_BD: Vectors, items_LD: Vectors, k: int, *, excluded: Pairs, votes: Votes, weight: float
) -> Rows:
    """Rank the items of each query by dot product + weight · votes, as :func:`recsys.model.ranking.top_k` does.

    A server need not score all items for this: its first k by dot product and those with votes, scored exactly, hold
    the same first k, because an item without votes among the first k has fewer than k items above it by dot product.

    Args:
        queries_BD: Query vectors; a zero vector ranks nothing.
        items_LD: Item vectors.
        k: Ranks wanted, 1 or more.
        excluded: Pairs that are never ranked.
        votes: For the same queries.
        weight: Of the votes, 0 or more.
    """
    queries_BD, items_LD = without_nan(queries_BD), without_nan(items_LD)

    def score(block: slice) -> Vectors:
        scores_BL: Vectors = queries_BD[block] @ items_LD.T
        votes.add_to(scores_BL, block.start, weight)
        scores_BL[~queries_BD[block].any(axis=1)] = -np.inf
        return scores_BL

    return rank_blocks(score, len(queries_BD), len(items_LD), k, excluded=excluded)


def ballots(clicks: Clicks) -> Clicks:
    """Return what each query votes for: its :data:`recsys.core.votes.BALLOT` items with the most clicks."""
    many = clicks.per_query()[1] > BALLOT
    if not many.any():
        return clicks
    cut = np.flatnonzero(many[clicks.query])
    order = cut[np.lexsort((clicks.item[cut], -clicks.clicks[cut], clicks.query[cut]))]
    query = clicks.query[order]
    kept = np.ones(len(clicks.query), dtype=bool)
    kept[order[np.arange(len(query)) - np.searchsorted(query, query) >= BALLOT]] = False
    return clicks.where(kept)


def payloads_of_queries(votes: Clicks, some: slice) -> list[dict[str, list[int]]]:
    """Return for each query row the item rows that it votes for, and the clicks of each, as they stand in runs.

    Args:
        votes: From :func:`ballots`.
        some: Query rows.
    """
    bounds = np.searchsorted(votes.query, np.arange(some.start, some.stop + 1))
    inside = slice(bounds[0], bounds[-1])
    item, count = votes.item[inside].tolist(), votes.clicks[inside].tolist()
    return [{"items": item[a:b], "counts": count[a:b]} for a, b in pairwise((bounds - bounds[0]).tolist())]


def prototypes_of_voters(votes: Clicks, vectors: Vectors, k: int) -> Prototypes | None:
    """Return up to ``k`` prototypes of each item, from the queries that vote for it; None for 0.

    Args:
        votes: From :func:`ballots`.
        vectors: Vectors of all query rows.
        k: Prototypes of an item, at most.
    """
    return choose_prototypes(votes.query, votes.item, votes.clicks, vectors, votes.n_items, k) if k else None


def clicks_of_table(queries: Table, n_items: int) -> Clicks:
    """Return what the payloads of a run's queries say."""
    return Clicks(*ballots_of_table(queries), len(queries.ids), n_items)


def collect_votes(asked_BD: Vectors, query_vectors: Vectors, clicks: Clicks) -> Votes:
    """Let the nearest queries with clicks vote for every asked query.

    Args:
        asked_BD: Vectors of the asked queries; nobody votes for a zero vector.
        query_vectors: Vectors of all query rows.
        clicks: Clicks of the queries that may vote, from :func:`ballots`.
    """
    silent_Q = np.ones(len(query_vectors), dtype=bool)
    silent_Q[clicks.query] = False
    silent_Q |= ~query_vectors.any(axis=1)
    step = max(1, BLOCK_SCORES // min(max(len(query_vectors), 1), COLUMNS))
    parts = [
        _votes_of_block(asked_BD[start : start + step], start, query_vectors, silent_Q, clicks)
        for start in range(0, len(asked_BD), step)
    ]
    position, item, share = (np.concatenate([part[i] for part in parts]) if parts else np.empty(0) for i in range(3))
    return Votes(position.astype(np.int64), item.astype(np.int64), share.astype(np.float32))


def _votes_of_block(
    asked_BD: Vectors, start: int, query_vectors: Vectors, silent_Q: npt.NDArray[np.bool_], clicks: Clicks
) -> tuple[Rows, Rows, npt.NDArray[np.float64]]:
    nearest_BM, similarity_BM = _voters(asked_BD, query_vectors, silent_Q)
    found_BM = nearest_BM >= 0
    asked = np.flatnonzero(found_BM.any(axis=1))
    share_BM = np.zeros(nearest_BM.shape)
    share_BM[asked] = shares(similarity_BM[asked])
    position, rank = np.nonzero(found_BM)
    voter = nearest_BM[position, rank]
    first = np.searchsorted(clicks.query, voter)
    size = np.searchsorted(clicks.query, voter, side="right") - first
    item = clicks.item[joined_ranges(first, size)]
    return _summed(np.repeat(position + start, size), item, np.repeat(share_BM[position, rank], size), clicks.n_items)


def _voters(asked_BD: Vectors, query_vectors: Vectors, silent_Q: npt.NDArray[np.bool_]) -> tuple[Rows, Vectors]:
    """Return the rows of the nearest voters of each asked query, −1 where fewer are left, and their similarities."""
    parts = []
    for first in range(0, max(len(query_vectors), 1), COLUMNS):
        some = slice(first, first + COLUMNS)
        similarity_BC = asked_BD @ query_vectors[some].T
        similarity_BC[:, silent_Q[some]] = -np.inf
        similarity_BC[~asked_BD.any(axis=1)] = -np.inf
        place_BM, similarity_BM = _best(similarity_BC)
        parts.append((np.where(place_BM >= 0, place_BM + first, -1), similarity_BM))
    row_BP, similarity_BP = (np.concatenate(side, axis=1) for side in zip(*parts, strict=True))
    # of equal similarities the lower row stands in front, within a part and among them
    place_BM, similarity_BM = _best(similarity_BP)
    return np.where(place_BM >= 0, np.take_along_axis(row_BP, place_BM, axis=1), -1), similarity_BM


def _best(similarity_BC: Vectors) -> tuple[Rows, Vectors]:
    place_BM = best(similarity_BC, NEIGHBOURS)
    return place_BM, np.where(place_BM >= 0, np.take_along_axis(similarity_BC, place_BM, axis=1), -np.inf)


def _summed(
    position: Rows, item: Rows, share: npt.NDArray[np.float64], n_items: int
) -> tuple[Rows, Rows, npt.NDArray[np.float64]]:
    keys, inverse = np.unique(position * n_items + item, return_inverse=True)
    total = np.bincount(inverse, weights=share, minlength=len(keys)).astype(np.float64)
    return keys // n_items, keys % n_items, total
