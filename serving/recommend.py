"""Recommends items for texts, known queries, items and histories, from the live collection."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from qdrant_client import QdrantClient, models

from recsys.core.bonus import NO_BONUS, Bonus
from recsys.core.run import Vectors
from recsys.serving.alias import live_lineage
from recsys.serving.answers import Answers, Question, Wanted
from recsys.serving.items import Found, Items
from recsys.serving.known import KnownRows
from recsys.serving.listing import AS_RANKED, Listing
from recsys.serving.only import EVERYTHING, Only
from recsys.serving.popular import Popular
from recsys.serving.questions import Questions
from recsys.serving.ranked import Ranker
from recsys.serving.recommendation import Origin, Recommendation

PATIENCE: Final = 3.0
"Seconds during which a request that failed for a passing reason is tried again."


class Recommender:
    """Answers from the collection that is live when it is made, with the encoder that made that collection.

    It stays with that collection when the alias moves on, so that queries and items never come from two encoders;
    make a new one to follow. The encoder is loaded when the first unknown text comes. Every method takes ``only``,
    which narrows what may be a hit, and ``listing``: the page, diversity and a limit per group. All raise
    :class:`recsys.serving.qdrant_errors.CollectionGoneError` when somebody deleted the collection. How long a request
    may take is ``qdrant.timeout``. Threads may share it.
    """

    def __init__(
        self, client: QdrantClient, alias: str, runs_dir: Path, *, fallback: bool = False, patience: float = PATIENCE
    ) -> None:
        """Look up the live collection.

        Args:
            client: From :func:`recsys.serving.client.connect`.
            alias: Alias that ``recsys publish`` switches.
            runs_dir: Directory of the run directories.
            fallback: Where Qdrant does not answer, or a query means nothing to the encoder, name the most clicked items
                instead, which ``origin`` says; they are read now.
            patience: Seconds during which a request that failed for a passing reason is tried again.

        Raises:
            NothingPublishedError: There is no such alias.
            ForeignCollectionError: It points at a collection that recsys did not make.
        """
        self._client = client
        self.alias = alias
        self.collection, self.lineage = live_lineage(client, alias)
        self.questions = Questions(self.collection, self.lineage, runs_dir)
        self._items = Items(client, self.collection, self.lineage, runs_dir)
        self._ranker = Ranker(client, self.collection, self.lineage, self._items, patience=patience)
        origin = Origin(self.collection, self.lineage.run, self.lineage.encoder_hash)
        self._answers = Answers(self._ranker, origin, Popular(client, self.collection) if fallback else None)

    def by_text(
        self, texts: Sequence[str], k: int = 10, *, only: Only = EVERYTHING, listing: Listing = AS_RANKED
    ) -> list[Recommendation]:
        """Recommend for texts, all searched together, with votes where the run chose them.

        The vector of a text that is a training query is read; others are encoded together.

        Raises:
            LiveRunMissingError: The run directory is gone.
            EncoderMismatchError: Its encoder did not make the collection.
        """
        vectors, known = self.questions.vectors(texts)
        asked = [Question("text", *one) for one in zip(texts, known, vectors, strict=True)]
        return self._answers.to("text", texts, lambda: asked, Wanted(k, only, listing))

    def by_query_id(
        self, query_id: str, k: int = 10, *, only: Only = EVERYTHING, listing: Listing = AS_RANKED
    ) -> Recommendation:
        """Recommend for a training query, from its stored vector.

        Raises:
            UnknownIdError: The run has no such query.
            LiveRunMissingError: The run directory is gone.
        """
        return self.by_query_ids([query_id], k, only=only, listing=listing)[0]

    def by_query_ids(
        self, query_ids: Sequence[str], k: int = 10, *, only: Only = EVERYTHING, listing: Listing = AS_RANKED
    ) -> list[Recommendation]:
        """Recommend for training queries, all searched together; raises as :meth:`by_query_id` does."""
        asked = [Question("query", id_, True, self.questions.one(id_, by_id=True)[0]) for id_ in query_ids]
        return self._answers.to("query", query_ids, lambda: asked, Wanted(k, only, listing))

    def by_item(
        self, item_id: str, k: int = 10, *, only: Only = EVERYTHING, listing: Listing = AS_RANKED
    ) -> Recommendation:
        """Recommend items near an item by cosine, from its vector in Qdrant; the item itself is left out.

        Raises:
            UnknownIdError: The collection has no such item.
        """
        return self.by_items([item_id], k=k, only=only, listing=listing)

    def by_items(
        self,
        liked: Sequence[str],
        disliked: Sequence[str] = (),
        k: int = 10,
        *,
        only: Only = EVERYTHING,
        listing: Listing = AS_RANKED,
    ) -> Recommendation:
        """Recommend items near the liked and away from the disliked ones, none of which is a hit.

        One search by cosine for norm(2 · mean(liked) − mean(disliked)), or for mean(liked) where nothing is disliked:
        the average strategy of Qdrant's own recommendations.

        Args:
            liked: Item ids, one or more.
            disliked: Item ids.
            k: Hits wanted.
            only: What may be a hit.
            listing: How hits are listed.

        Raises:
            UnknownIdError: The collection has no such item.
        """
        label = ", ".join(liked)

        def asked() -> list[Question]:
            vectors = np.stack([item.vector for item in self._all([*liked, *disliked])])
            vector = vectors[: len(liked)].mean(axis=0)
            if disliked:
                vector = 2 * vector - vectors[len(liked) :].mean(axis=0)
            # items alike, clicked or not
            return [Question("item", label, True, self._wide(_unit(vector), NO_BONUS))]

        wanted = Wanted(k, only, listing, without={*liked, *disliked}, plain=True)
        return self._answers.to("item", [label], asked, wanted)[0]

    def by_history(
        self,
        texts: Sequence[str] = (),
        query_ids: Sequence[str] = (),
        items: Sequence[str] = (),
        k: int = 10,
        *,
        only: Only = EVERYTHING,
        listing: Listing = AS_RANKED,
    ) -> Recommendation:
        """Recommend for what a user asked and looked at, as one query; items of the history are no hits.

        The query is norm(mean of the unit vectors), each event as much as any other, so give the latest ones only. Ids
        that the run does not know, such as those of items that are gone, are passed over.

        Args:
            texts: What the user asked.
            query_ids: Training queries that the user asked.
            items: Ids of items that the user looked at, bought or liked.
            k: Hits wanted.
            only: What may be a hit.
            listing: How hits are listed.

        Raises:
            LiveRunMissingError: The run directory is gone, and there are texts or query ids.
            EncoderMismatchError: Its encoder did not make the collection.
        """
        label = ", ".join([*texts, *query_ids, *items])
        narrow = self.lineage.width - self.lineage.how.extra
        known = self.questions.known.rows_of_ids(query_ids) if query_ids else []
        queries = [*self.questions.vectors(texts)[0], *(self.questions.known.vector(r) for r in known if r is not None)]

        def asked() -> list[Question]:
            found = self._ranker.patiently(lambda: self._items.find(items))
            events = [vector[:narrow] for vector in queries] + [item.vector for item in found if item is not None]
            mean = np.mean([_unit(vector) for vector in events] or np.zeros((1, narrow)), axis=0)
            return [Question("history", label, False, self._wide(_unit(mean), self.lineage.how.one))]

        return self._answers.to("history", [label], asked, Wanted(k, only, listing, without=set(items)))[0]

    @property
    def items(self) -> KnownRows | None:
        """The run's items; None where the run directory is gone."""
        return self._items.known

    def item(self, item_id: str) -> Found:
        """Return an item of the collection.

        Raises:
            UnknownIdError: The collection has no such item.
        """
        return self._all([item_id])[0]

    def as_searched(self, queries: Sequence[Vectors]) -> Sequence[Vectors]:
        """Return vectors that are ready for a single search as the search that the run chose takes them."""
        return self._ranker.as_searched(queries)

    def nearest_queries(self, searched: Vectors) -> Sequence[models.ScoredPoint]:
        """Return the published training queries nearest to a vector of :meth:`as_searched`, if there are any."""
        return self._ranker.nearest_queries(searched)

    def _all(self, item_ids: Sequence[str]) -> list[Found]:
        return self._ranker.patiently(lambda: self._items.all(item_ids))

    def _wide(self, vector: Vectors, bonus: Bonus) -> Vectors:
        ready: Vectors = self.lineage.how.ready(vector[None], bonus)[0]
        return ready


def _unit(vector: Vectors) -> Vectors:
    norm = float(np.linalg.norm(vector))
    return vector / norm if norm else vector
