"""Makes a collection for a run and fills it, from wherever an earlier upload stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from qdrant_client import QdrantClient, models

from recsys.core.progress import progress
from recsys.core.retry import retry
from recsys.core.run import Table
from recsys.serving.client import is_transient, without_size_warning, write_ahead
from recsys.serving.lineage import Lineage

BATCH = 512
"Points sent in one request; 3 MB of JSON at a width of 384."

ID_PAGE = 10_000
"Point ids read in one request."

Rows = npt.NDArray[np.int64]


def create_collection(client: QdrantClient, name: str, lineage: Lineage, embedded: Path | None) -> None:
    """Make an empty collection that knows where it comes from, with an index on the payload's ``id``.

    Args:
        client: Qdrant.
        name: Name of the collection.
        lineage: Its metadata.
        embedded: Directory of embedded Qdrant, None for a server.
    """
    vectors = models.VectorParams(size=lineage.width, distance=models.Distance.COSINE)
    client.create_collection(name, vectors_config=vectors, metadata=lineage.as_metadata())
    with without_size_warning():
        client.create_payload_index(name, "id", models.PayloadSchemaType.KEYWORD)
    if embedded is not None:
        write_ahead(embedded, name)


def missing_rows(client: QdrantClient, collection: str, items: int) -> Rows:
    """Return the rows in [0, ``items``) that have no point yet, ascending."""
    missing = np.ones(items, dtype=bool)
    offset: Any = None
    while True:
        points, offset = client.scroll(collection, limit=ID_PAGE, offset=offset, with_payload=False)
        there = np.array([p.id for p in points if isinstance(p.id, int) and p.id < items], dtype=np.int64)
        missing[there] = False
        if offset is None:
            return np.flatnonzero(missing)


def upload(client: QdrantClient, collection: str, table: Table, rows: Rows) -> None:
    """Send the items at ``rows``; the point id is the row, so sending one twice changes nothing."""
    batches = [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]
    with without_size_warning():
        for batch in progress(batches, f"publishing {collection}", unit="batch"):
            points = _points(table, batch)
            retry(lambda points=points: client.upsert(collection, points), when=is_transient)  # type: ignore[misc]


def _points(table: Table, rows: Rows) -> models.Batch:
    return models.Batch(
        ids=rows.tolist(), vectors=table.vectors[rows].tolist(), payloads=[_payload(table, row) for row in rows]
    )


def _payload(table: Table, row: int) -> dict[str, Any]:
    ours = {"id": table.ids[row], "title": table.texts[row], "clicks": int(table.clicks[row])}
    return {**table.payloads[row], **ours}
