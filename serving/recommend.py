"""Recommends items for texts, for known queries and for items, from the live collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from qdrant_client import QdrantClient, models

from recsys.core.bonus import widen_queries
from recsys.core.run import Vectors
from recsys.serving.alias import live_lineage
from recsys.serving.client import is_there
from recsys.serving.known import KnownRows
from recsys.serving.only import EVERYTHING, Only
from recsys.serving.questions import Questions
from recsys.serving.recommendation import Hit, Recommendation, UnknownIdError
from recsys.serving.search import nearest_queries, search, search_with_votes


@dataclass(frozen=True)
class Found:
    """An item of the collection.

    Attributes:
        row: Of the run, and id of the point.
        id: External id.
        title: Its text.
        vector: Without the dimension of the bonus.
        payload: Its ``id``, ``title``, ``clicks`` and further columns.
    """

    row: int
    id: str
    title: str
    vector: Vectors
    payload: Mapping[str, Any]


class Recommender:
    """Answers from the collection that is live when it is made, with the encoder that made that collection.

    It stays with that collection when the alias moves on, so that queries and items never come from two encoders;
    make a new one to follow. The encoder is loaded when the first unknown text comes. Every method takes ``only``,
    which narrows what may be a hit, and raises :class:`recsys.serving.client.CollectionGoneError` when somebody
    deleted the collection; how long a request may take is ``qdrant.timeout``.
    """

    def __init__(self, client: QdrantClient, alias: str, runs_dir: Path) -> None:
        """Look up the live collection.

        Args:
            client: From :func:`recsys.serving.client.connect`.
            alias: Alias that ``recsys publish`` switches.
            runs_dir: Directory of the run directories.

        Raises:
            NothingPublishedError: There is no such alias.
            ForeignCollectionError: It points at a collection that recsys did not make.
        """
        self._client = client
        self._runs_dir = runs_dir
        self.alias = alias
        self.collection, self.lineage = live_lineage(client, alias)
        self._how = self.lineage.how
        self.questions = Questions(self.collection, self.lineage, runs_dir)

    def by_text(self, texts: Sequence[str], k: int = 10, *, only: Only = EVERYTHING) -> list[Recommendation]:
        """Recommend for texts, all searched together, with votes where the run chose them.

        The vector of a text that is a training query is read; others are encoded together.

        Raises:
            LiveRunMissingError: The run directory is gone.
            EncoderMismatchError: Its encoder did not make the collection.
        """
        vectors, known = self.questions.vectors(texts)
        found = self._search(vectors, k, only)
        return [
            Recommendation("text", text, is_known, hits is not None, hits or ())
            for text, is_known, hits in zip(texts, known, found, strict=True)
        ]

    def by_query_id(self, query_id: str, k: int = 10, *, only: Only = EVERYTHING) -> Recommendation:
        """Recommend for a training query, from its stored vector.

        Raises:
            UnknownIdError: The run has no such query.
            LiveRunMissingError: The run directory is gone.
        """
        return self.by_query_ids([query_id], k, only=only)[0]

    def by_query_ids(self, query_ids: Sequence[str], k: int = 10, *, only: Only = EVERYTHING) -> list[Recommendation]:
        """Recommend for training queries, all searched together; raises as :meth:`by_query_id` does."""
        vectors = [self.question(query_id, by_id=True)[0] for query_id in query_ids]
        found = self._search(vectors, k, only)
        return [
            Recommendation("query", query_id, True, hits is not None, hits or ())
            for query_id, hits in zip(query_ids, found, strict=True)
        ]

    def by_item(self, item_id: str, k: int = 10, *, only: Only = EVERYTHING) -> Recommendation:
        """Recommend items near an item by cosine, from its vector in Qdrant; the item itself is left out.

        Raises:
            UnknownIdError: The collection has no such item.
        """
        return self.by_items([item_id], k=k, only=only)

    def by_items(
        self, liked: Sequence[str], disliked: Sequence[str] = (), k: int = 10, *, only: Only = EVERYTHING
    ) -> Recommendation:
        """Recommend items near the liked and away from the disliked ones, none of which is a hit.

        One search by cosine for norm(2 · mean(liked) − mean(disliked)), or for mean(liked) where nothing is disliked:
        the average strategy of Qdrant's own recommendations.

        Args:
            liked: Item ids, one or more.
            disliked: Item ids.
            k: Hits wanted.
            only: What may be a hit.

        Raises:
            UnknownIdError: The collection has no such item.
        """
        vector = np.mean([self._item_vector(item) for item in liked], axis=0)
        if disliked:
            vector = 2 * vector - np.mean([self._item_vector(item) for item in disliked], axis=0)
        asked, norm = {*liked, *disliked}, float(np.linalg.norm(vector))
        # so many more than wanted, since an item is its own nearest neighbour; excluding points by their ids makes
        # embedded mode test every point
        found = search(self._client, self.collection, [vector / norm], k + len(asked), only)[0] if norm else ()
        others = [hit for hit in found if hit.id not in asked][:k]
        hits = tuple(replace(hit, rank=rank) for rank, hit in enumerate(others, start=1))
        return Recommendation("item", ", ".join(liked), known=True, matched=norm > 0, hits=hits)

    @cached_property
    def items(self) -> KnownRows | None:
        """The run's items; None where the run directory is gone."""
        path = self._runs_dir / self.lineage.run / "items.parquet"
        return KnownRows(path) if path.is_file() else None

    def question(self, query: str, *, by_id: bool = False) -> tuple[Vectors, int | None]:
        """Return the vector of a text or of a training query, ready for a single search, and the training query's row.

        Raises:
            UnknownIdError: The run has no such query.
            LiveRunMissingError: The run directory is gone.
            EncoderMismatchError: Its encoder did not make the collection.
        """
        if not by_id:
            return self.questions.vectors([query])[0][0], self.questions.known.row_of_text(query)
        known = self.questions.known
        row = known.row_of_id(query)
        if row is None:
            raise UnknownIdError("query", query, known.close_ids(query))
        return known.vector(row), row

    def item(self, item_id: str) -> Found:
        """Return an item of the collection.

        Raises:
            UnknownIdError: The collection has no such item.
            CollectionGoneError: Somebody deleted the collection.
        """
        with is_there(self.collection):
            point = self._point(item_id)
        if point is None:
            raise UnknownIdError("item", item_id, self.items.close_ids(item_id) if self.items else [])
        vector = np.array(point.vector, dtype=np.float32)
        payload = point.payload or {}
        return Found(int(point.id), item_id, payload["title"], vector[: self._narrow], payload)

    def as_searched(self, queries: Sequence[Vectors]) -> Sequence[Vectors]:
        """Return vectors that are ready for a single search as the search that the run chose takes them."""
        if not self._how.votes or not queries:
            return queries
        vectors = np.stack(queries)[:, : self._narrow]
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return list(widen_queries(vectors, self._how.votes_bonus) if self._how.is_wide else vectors)

    def nearest_queries(self, searched: Vectors) -> list[models.ScoredPoint]:
        """Return the published training queries nearest to a vector of :meth:`as_searched`, if there are any."""
        return nearest_queries(self._client, self.collection, searched)

    @property
    def _narrow(self) -> int:
        return self.lineage.width - self._how.is_wide

    def _item_vector(self, item_id: str) -> Vectors:
        vector = self.item(item_id).vector
        # items alike, clicked or not
        return np.append(vector, np.float32(0)) if self._how.is_wide else vector

    def _search(self, queries: Sequence[Vectors], k: int, only: Only) -> list[tuple[Hit, ...] | None]:
        """Return the hits of each query; None for a zero vector, which is as near to any item as to any other."""
        matched = [bool(vector.any()) for vector in queries]
        asked = [vector for vector, any_ in zip(queries, matched, strict=True) if any_]
        found = iter(self._search_all(asked, k, only))
        return [next(found) if any_ else None for any_ in matched]

    def _search_all(self, queries: Sequence[Vectors], k: int, only: Only) -> list[tuple[Hit, ...]]:
        if not self._how.votes or not queries:
            return search(self._client, self.collection, queries, k, only)
        searched = self.as_searched(queries)
        return search_with_votes(self._client, self.collection, searched, k, self._how.votes, only)

    def _point(self, item_id: str) -> models.Record | None:
        if self.items is None:
            has_id = models.Filter(must=[models.FieldCondition(key="id", match=models.MatchValue(value=item_id))])
            found, _ = self._client.scroll(self.collection, scroll_filter=has_id, limit=1, with_vectors=True)
        else:
            # the row in the run is the id of the point, and embedded mode looks through all payloads for an id
            row = self.items.row_of_id(item_id)
            found = [] if row is None else self._client.retrieve(self.collection, [row], with_vectors=True)
        return next((point for point in found if (point.payload or {})["id"] == item_id), None)
