"""A live collection with all that answers from it, and following the alias from one to the next."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from qdrant_client import QdrantClient

from recsys.core.errors import RecsysError
from recsys.core.settings import QdrantSettings
from recsys.serving.alias import live_collection
from recsys.serving.plain import PlainItems
from recsys.serving.qdrant_errors import CollectionGoneError, in_our_words
from recsys.serving.recommend import Recommender

T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Served:
    """What answers from one collection; nothing in it changes when the alias moves.

    Attributes:
        recommender: With its encoder loaded.
        plain: The same items by their texts alone.
    """

    recommender: Recommender
    plain: PlainItems


class Follower:
    """Answers from the live collection, and from the next one as soon as that is ready to.

    A question is answered by one collection and its encoder from beginning to end: the next one is opened beside it,
    and questions that come later go there. Where it cannot be opened the present one stays. Threads may share it.
    """

    def __init__(
        self, client: QdrantClient, settings: QdrantSettings, runs_dir: Path, *, fallback: bool = False
    ) -> None:
        """Open the live collection and load its encoder.

        Args:
            client: From :func:`recsys.serving.client.connect`, open for as long as this is used.
            settings: It was made from.
            runs_dir: Directory of the run directories.
            fallback: As of a Recommender.

        Raises:
            NothingPublishedError: There is no such alias.
            ForeignCollectionError: It points at a collection that recsys did not make.
            LiveRunMissingError: The run directory is gone.
            EncoderMismatchError: Its encoder did not make the collection.
        """
        self._client = client
        self._settings = settings
        self._runs_dir = runs_dir
        self._fallback = fallback
        self._looking = threading.Lock()
        self.served = self._open()
        self.moves = 0
        self.failures = 0
        self.trouble: str | None = None

    def ask(self, question: Callable[[Served], T]) -> T:
        """Put a question to what is live, and once more to the next one where the collection is deleted meanwhile.

        Raises:
            RecsysError: Of the question; what goes wrong with Qdrant is a ServiceError.
        """
        with in_our_words(self._settings):
            try:
                return question(self.served)
            except CollectionGoneError:
                if not self.look():
                    raise
                return question(self.served)

    def is_live(self) -> bool:
        """Ask Qdrant whether the alias points at what we answer from.

        Raises:
            ServiceError: Qdrant does not answer.
        """
        with in_our_words(self._settings):
            return live_collection(self._client, self._settings.alias) == self.served.recommender.collection

    def look(self) -> bool:
        """Go on to another collection where the alias has moved; say whether it has.

        Raises:
            RecsysError: The alias is gone, or the next collection cannot be opened.
        """
        asked = self.served
        with self._looking:
            if self.served is not asked:
                return True
            if self.is_live():
                return False
            with in_our_words(self._settings):
                self.served = self._open()
            self.moves += 1
            asked.plain.stop()
            log.warning(
                "the alias %s moved; answering from %s", self._settings.alias, self.served.recommender.collection
            )
            return True

    def tick(self) -> None:
        """Look; what goes wrong is noted in ``trouble`` and logged once, and the present collection stays."""
        try:
            self.look()
            self.trouble = None
        except RecsysError as error:
            self.failures += 1
            if self.trouble is None:
                log.warning("still answering from %s: %s", self.served.recommender.collection, error)
            self.trouble = str(error)

    def _open(self) -> Served:
        recommender = Recommender(self._client, self._settings.alias, self._runs_dir, fallback=self._fallback)
        recommender.questions.load()
        return Served(recommender, PlainItems(recommender.questions))
