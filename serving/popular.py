"""The items with the most clicks, for when there is nothing better: remembered, so that nobody has to be asked."""

from __future__ import annotations

from typing import Any, Final

from qdrant_client import QdrantClient, models

from recsys.serving.only import EVERYTHING, Only
from recsys.serving.qdrant_errors import is_there
from recsys.serving.search import Scored, groups_of

REMEMBERED: Final = 1_000
"Items, with their payload; a filter that fits few of them leaves few."


class Popular:
    """The most clicked items of a collection, as they were when this was made."""

    def __init__(self, client: QdrantClient, collection: str) -> None:
        """Read them, by the clicks in their payload.

        Raises:
            CollectionGoneError: Somebody deleted the collection.
        """
        by_clicks = models.OrderBy(key="clicks", direction=models.Direction.DESC)
        with is_there(collection):
            points, _ = client.scroll(collection, limit=REMEMBERED, order_by=by_clicks, with_payload=True)
        self._items: list[tuple[int, dict[str, Any]]] = [(int(point.id), point.payload or {}) for point in points]
        self._items.sort(key=lambda item: (-item[1]["clicks"], item[0]))

    def find(self, k: int, only: Only = EVERYTHING, column: str | None = None) -> list[Scored]:
        """Return the ``k`` items with the most clicks that may be recommended, scored by their clicks."""
        allowed = ((row, payload) for row, payload in self._items if only.allows(payload))
        return [
            Scored(row, float(payload["clicks"]), payload["id"], payload["title"], groups_of(payload, column))
            for (row, payload), _ in zip(allowed, range(k), strict=False)
        ]
