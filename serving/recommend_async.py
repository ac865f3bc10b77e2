"""The same recommendations for asyncio: the event loop goes on while threads encode and wait for Qdrant."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import TracebackType
from typing import Self, TypeVar

from recsys.serving.listing import AS_RANKED, Listing
from recsys.serving.only import EVERYTHING, Only
from recsys.serving.recommend import Recommender
from recsys.serving.recommendation import Recommendation

T = TypeVar("T")


class AsyncRecommender:
    """Asks a :class:`recsys.serving.recommend.Recommender` from threads of its own; use it in ``async with``.

    Every method does, takes and raises what the one of that name does. A task that is cancelled, as by
    ``asyncio.timeout``, ends at once; its thread is free again when Qdrant has answered or ``qdrant.timeout`` is over.
    """

    def __init__(self, recommender: Recommender, *, at_once: int = 8) -> None:
        """Take over a recommender.

        Args:
            recommender: Which is asked.
            at_once: Questions that are answered side by side; others wait their turn.
        """
        self.recommender = recommender
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="recsys")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Answer no more questions; those that wait are dropped."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def by_text(
        self, texts: Sequence[str], k: int = 10, *, only: Only = EVERYTHING, listing: Listing = AS_RANKED
    ) -> list[Recommendation]:
        """Recommend for texts."""
        return await self._run(partial(self.recommender.by_text, texts, k, only=only, listing=listing))

    async def by_query_id(
        self, query_id: str, k: int = 10, *, only: Only = EVERYTHING, listing: Listing = AS_RANKED
    ) -> Recommendation:
        """Recommend for a training query."""
        return await self._run(partial(self.recommender.by_query_id, query_id, k, only=only, listing=listing))

    async def by_query_ids(
        self, query_ids: Sequence[str], k: int = 10, *, only: Only = EVERYTHING, listing: Listing = AS_RANKED
    ) -> list[Recommendation]:
        """Recommend for training queries."""
        return await self._run(partial(self.recommender.by_query_ids, query_ids, k, only=only, listing=listing))

    async def by_item(
        self, item_id: str, k: int = 10, *, only: Only = EVERYTHING, listing: Listing = AS_RANKED
    ) -> Recommendation:
        """Recommend items near an item."""
        return await self._run(partial(self.recommender.by_item, item_id, k, only=only, listing=listing))

    async def by_items(
        self,
        liked: Sequence[str],
        disliked: Sequence[str] = (),
        k: int = 10,
        *,
        only: Only = EVERYTHING,
        listing: Listing = AS_RANKED,
    ) -> Recommendation:
        """Recommend items near the liked and away from the disliked ones."""
        return await self._run(partial(self.recommender.by_items, liked, disliked, k, only=only, listing=listing))

    async def by_history(
        self,
        texts: Sequence[str] = (),
        query_ids: Sequence[str] = (),
        items: Sequence[str] = (),
        k: int = 10,
        *,
        only: Only = EVERYTHING,
        listing: Listing = AS_RANKED,
    ) -> Recommendation:
        """Recommend for what a user asked and looked at."""
        ask = partial(self.recommender.by_history, texts, query_ids, items, k, only=only, listing=listing)
        return await self._run(ask)

    async def _run(self, ask: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, ask)
