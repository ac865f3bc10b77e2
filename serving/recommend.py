"""Recommends items for texts, for known queries and for items, from the live collection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from qdrant_client import QdrantClient, models

from recsys.core.bonus import widen_queries
from recsys.core.run import Run, Vectors, list_runs
from recsys.core.text import normalise
from recsys.serving.alias import live_lineage
from recsys.serving.encoder import EncoderMismatchError, check_encoder, load_encoder
from recsys.serving.known import KnownRows
from recsys.serving.recommendation import Hit, LiveRunMissingError, Recommendation, UnknownIdError
from recsys.serving.search import search, search_with_votes

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


class Recommender:
    """Answers from the collection that is live when it is made, with the encoder that made that collection.

    It stays with that collection when the alias moves on, so that queries and items never come from two encoders;
    make a new one to follow. The encoder is loaded when the first unknown text comes.
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

    def by_text(self, texts: Sequence[str], k: int = 10) -> list[Recommendation]:
        """Recommend for texts, all searched together, with votes where the run chose them.

        The vector of a text that is a training query is read; others are encoded together.

        Raises:
            LiveRunMissingError: The run directory is gone.
            EncoderMismatchError: Its encoder did not make the collection.
        """
        rows = [self._queries.row_of_text(text) for text in texts]
        unknown = [text for text, row in zip(texts, rows, strict=True) if row is None]
        encoded = iter(self._encode(unknown))
        vectors = [next(encoded) if row is None else self._queries.vector(row) for row in rows]
        # a text without a token the encoder knows has the zero vector, which is as near to any item as to any other
        matched = [bool(np.linalg.norm(vector) > 0) for vector in vectors]
        found = iter(self._search([v for v, any_ in zip(vectors, matched, strict=True) if any_], k))
        return [
            Recommendation("text", text, known=row is not None, matched=any_, hits=next(found) if any_ else ())
            for text, row, any_ in zip(texts, rows, matched, strict=True)
        ]

    def by_query_id(self, query_id: str, k: int = 10) -> Recommendation:
        """Recommend for a training query, from its stored vector.

        Raises:
            UnknownIdError: The run has no such query.
            LiveRunMissingError: The run directory is gone.
        """
        row = self._queries.row_of_id(query_id)
        if row is None:
            raise UnknownIdError("query", query_id, self._queries.close_ids(query_id))
        vector = self._queries.vector(row)
        matched = bool(np.linalg.norm(vector) > 0)
        hits = self._search([vector], k)[0] if matched else ()
        return Recommendation("query", query_id, known=True, matched=matched, hits=hits)

    def by_item(self, item_id: str, k: int = 10) -> Recommendation:
        """Recommend items near an item by cosine, from its vector in Qdrant; the item itself is left out.

        Raises:
            UnknownIdError: The collection has no such item.
        """
        point = self._point(item_id)
        if point is None:
            raise UnknownIdError("item", item_id, self._items.close_ids(item_id) if self._items else [])
        vector = np.array(point.vector, dtype=np.float32)
        if self._how.is_wide:
            vector[-1] = 0  # items alike, clicked or not
        matched = bool(np.linalg.norm(vector) > 0)
        # one more than wanted, since the item is its own nearest neighbour; excluding a point by its id makes
        # embedded mode test every point
        others = (
            [hit for hit in search(self._client, self.collection, [vector], k + 1)[0] if hit.id != item_id]
            if matched
            else []
        )
        hits = tuple(replace(hit, rank=rank) for rank, hit in enumerate(others[:k], start=1))
        return Recommendation("item", item_id, known=True, matched=matched, hits=hits)

    @cached_property
    def _run(self) -> Run:
        runs = {run.name: run for run in list_runs(self._runs_dir)}
        if self.lineage.run not in runs:
            raise LiveRunMissingError(self.lineage.run, self._runs_dir, list(runs))
        run = runs[self.lineage.run]
        found = run.manifest["encoder_hash"]
        if found != self.lineage.encoder_hash:
            raise EncoderMismatchError(self.collection, run, expected=self.lineage.encoder_hash, found=found)
        return run

    @cached_property
    def _queries(self) -> KnownRows:
        return KnownRows(self._run.path / "queries.parquet")

    @cached_property
    def _items(self) -> KnownRows | None:
        path = self._runs_dir / self.lineage.run / "items.parquet"
        return KnownRows(path) if path.is_file() else None

    @cached_property
    def _encoder(self) -> SentenceTransformer:
        check_encoder(self._run, self.collection, self.lineage.encoder_hash)
        return load_encoder(self._run)

    def _encode(self, texts: Sequence[str]) -> Sequence[Vectors]:
        blank = np.zeros(self.lineage.width - self._how.is_wide, dtype=np.float32)
        if not any(map(normalise, texts)):
            return [np.zeros(self.lineage.width, dtype=np.float32)] * len(texts)
        encoded = self._encoder.encode(list(texts), convert_to_numpy=True, show_progress_bar=False)
        vectors = np.stack([v if normalise(t) else blank for t, v in zip(texts, encoded, strict=True)])
        return list(widen_queries(vectors, self._how.bonus) if self._how.is_wide else vectors)

    def _search(self, queries: Sequence[Vectors], k: int) -> list[tuple[Hit, ...]]:
        if not self._how.votes or not queries:
            return search(self._client, self.collection, queries, k)
        vectors = np.stack(queries)[:, : self.lineage.width - self._how.is_wide]
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        wide = widen_queries(vectors, self._how.votes_bonus) if self._how.is_wide else vectors
        return search_with_votes(self._client, self.collection, list(wide), k, self._how.votes)

    def _point(self, item_id: str) -> models.Record | None:
        if self._items is None:
            has_id = models.Filter(must=[models.FieldCondition(key="id", match=models.MatchValue(value=item_id))])
            found, _ = self._client.scroll(self.collection, scroll_filter=has_id, limit=1, with_vectors=True)
        else:
            # the row in the run is the id of the point, and embedded mode looks through all payloads for an id
            row = self._items.row_of_id(item_id)
            found = [] if row is None else self._client.retrieve(self.collection, [row], with_vectors=True)
        return next((point for point in found if (point.payload or {})["id"] == item_id), None)
