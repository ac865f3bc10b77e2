"""Ranks the items of one collection as its run chose, and lists what is wanted of the ranking."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from time import monotonic
from typing import TypeVar

import numpy as np
from qdrant_client import QdrantClient, models

from recsys.core.retry import retry
from recsys.core.run import Vectors
from recsys.serving.items import Items
from recsys.serving.lineage import Lineage
from recsys.serving.listing import POOL, Listing, varied, within_groups
from recsys.serving.only import Only
from recsys.serving.qdrant_errors import is_transient
from recsys.serving.search import Scored, asked_of_many, nearest_queries, search, search_with_votes

T = TypeVar("T")


class Ranker:
    """Searches one collection; what may pass by itself is tried again for a while."""

    def __init__(
        self, client: QdrantClient, collection: str, lineage: Lineage, items: Items, *, patience: float
    ) -> None:
        """Note where and how to search.

        Args:
            client: Qdrant.
            collection: Of the items.
            lineage: Says how the collection is to be searched.
            items: Of the collection.
            patience: Seconds after which no further try is begun.
        """
        self._client = client
        self._collection = collection
        self._how = lineage.how
        self._narrow = lineage.width - lineage.how.extra
        self._items = items
        self._patience = patience

    def pages(
        self, vectors: Sequence[Vectors], k: int, only: Only, listing: Listing, *, without: Collection[str], plain: bool
    ) -> list[list[Scored]]:
        """Return a page of the ranking of each vector.

        Args:
            vectors: Ready for a single search, none of them zero.
            k: Items of a page.
            only: What may be found.
            listing: Which page, and what is changed before.
            without: Ids that are passed over: a few, and cheaper than to exclude them by ``only``.
            plain: Rank by the vectors alone, without votes.
        """
        needed, limit = listing.needed(k), listing.per_group
        find = partial(self._find, without=without, plain=plain, column=limit.column if limit else None)
        if limit is None:
            pools = find(vectors, needed, only)
        else:
            pools = [within_groups(partial(_first, find, vector), needed, limit, only) for vector in vectors]
        if listing.diversity:
            pools = self._varied(pools, listing.diversity)
        return [pool[listing.offset : listing.offset + k] for pool in pools]

    def as_searched(self, vectors: Sequence[Vectors]) -> Sequence[Vectors]:
        """Return vectors that are ready for a single search as the search that the run chose takes them."""
        if not self._how.votes or not vectors:
            return vectors
        narrow = np.stack(vectors)[:, : self._narrow]
        narrow /= np.linalg.norm(narrow, axis=1, keepdims=True)
        return [*(self._how.ready(narrow, self._how.voted))]

    def nearest_queries(self, searched: Vectors) -> Sequence[models.ScoredPoint]:
        """Return the published training queries nearest to a vector of :meth:`as_searched`, if there are any."""
        return self.patiently(lambda: nearest_queries(self._client, self._collection, searched))

    def patiently(self, ask: Callable[[], T]) -> T:
        """Ask Qdrant something, again where it fails for a passing reason."""
        began = monotonic()
        try:
            return ask()  # what works at once does not pay for the policy
        except Exception as error:
            left = self._patience - (monotonic() - began)
            if left <= 0 or not is_transient(error):
                raise
        return retry(ask, when=is_transient, patience=left)

    def _find(
        self,
        vectors: Sequence[Vectors],
        k: int,
        only: Only,
        *,
        without: Collection[str],
        plain: bool,
        column: str | None,
    ) -> list[list[Scored]]:
        if not vectors:
            return []
        client, collection, more, how = self._client, self._collection, k + len(without), self._how
        if plain or not how.votes:
            asked = asked_of_many(vectors) if how.prototypes else vectors
            found = self.patiently(lambda: search(client, collection, asked, more, only, column))
        else:
            searched = self.as_searched(vectors)
            found = self.patiently(
                lambda: search_with_votes(client, collection, searched, more, how.votes, only, column)
            )
        return [[item for item in items if item.id not in without][:k] for items in found]

    def _varied(self, pools: Sequence[list[Scored]], diversity: float) -> list[list[Scored]]:
        rows = sorted({item.row for pool in pools for item in pool[:POOL]})
        vectors = self.patiently(lambda: self._items.vectors(rows))
        return [varied(p[:POOL], [vectors[item.row] for item in p[:POOL]], diversity) + p[POOL:] for p in pools]


def _first(find: Callable[..., list[list[Scored]]], vector: Vectors, k: int, only: Only) -> list[Scored]:
    return find([vector], k, only)[0]
