"""The items of a live collection, by their ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from qdrant_client import QdrantClient, models

from recsys.core.run import Vectors
from recsys.serving.known import KnownRows
from recsys.serving.lineage import Lineage
from recsys.serving.qdrant_errors import is_there
from recsys.serving.recommendation import UnknownIdError


@dataclass(frozen=True)
class Found:
    """An item of the collection.

    Attributes:
        row: Of the run, and id of the point.
        id: External id.
        title: Its text.
        vector: Without the dimensions of the bonus.
        prototypes: Those beside it, in the order of ``prototypes`` of the payload, shape (k, width).
        payload: Its ``id``, ``title``, ``clicks``, times and further columns.
    """

    row: int
    id: str
    title: str
    vector: Vectors
    prototypes: Vectors
    payload: Mapping[str, Any]


class Items:
    """Finds items by their ids, by way of their rows where the run directory is at hand."""

    def __init__(self, client: QdrantClient, collection: str, lineage: Lineage, runs_dir: Path) -> None:
        """Note where to look."""
        self._client = client
        self._collection = collection
        self._path = runs_dir / lineage.run / "items.parquet"
        self._narrow = lineage.width - lineage.how.extra

    @cached_property
    def known(self) -> KnownRows | None:
        """The run's items; None where the run directory is gone."""
        return KnownRows(self._path) if self._path.is_file() else None

    def find(self, item_ids: Sequence[str]) -> list[Found | None]:
        """Return the item of each id, or None, in one request.

        Raises:
            CollectionGoneError: Somebody deleted the collection.
        """
        if not item_ids:
            return []
        with is_there(self._collection):
            points = self._points(item_ids)
        found = {item.id: item for item in map(self._found, points)}
        return [found.get(item_id) for item_id in item_ids]

    def all(self, item_ids: Sequence[str]) -> list[Found]:
        """Return the item of each id.

        Raises:
            UnknownIdError: The collection has no such item.
            CollectionGoneError: Somebody deleted the collection.
        """
        found = []
        for item_id, item in zip(item_ids, self.find(item_ids), strict=True):
            if item is None:
                raise UnknownIdError("item", item_id, self.known.close_ids(item_id) if self.known else [])
            found.append(item)
        return found

    def vectors(self, rows: Sequence[int]) -> dict[int, Vectors]:
        """Return the vectors of these rows, without the dimensions of the bonus.

        Raises:
            CollectionGoneError: Somebody deleted the collection.
        """
        with is_there(self._collection):
            points = self._client.retrieve(self._collection, list(rows), with_payload=False, with_vectors=True)
        return {int(point.id): self._vectors(point)[0] for point in points}

    def _points(self, item_ids: Sequence[str]) -> list[models.Record]:
        if self.known is None:
            these = models.FieldCondition(key="id", match=models.MatchAny(any=list(item_ids)))
            only = models.Filter(must=[these])
            return self._client.scroll(self._collection, only, limit=len(item_ids), with_vectors=True)[0]
        # the row in the run is the id of the point, and embedded mode looks through all payloads for an id
        rows = {row for row in self.known.rows_of_ids(item_ids) if row is not None}
        return self._client.retrieve(self._collection, sorted(rows), with_vectors=True) if rows else []

    def _found(self, point: models.Record) -> Found:
        payload, (own, *beside) = point.payload or {}, self._vectors(point)
        prototypes = np.array(beside, np.float32).reshape(-1, self._narrow)
        return Found(int(point.id), payload["id"], payload["title"], own, prototypes, payload)

    def _vectors(self, point: models.Record) -> Vectors:
        """Return the item's own vector and those beside it."""
        return np.atleast_2d(np.array(point.vector, dtype=np.float32))[:, : self._narrow]
