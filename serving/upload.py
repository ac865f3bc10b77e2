"""Makes a collection for a run and fills it, from wherever an earlier upload stopped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from qdrant_client import QdrantClient, models

from recsys.core.progress import progress
from recsys.core.prototypes import Prototypes
from recsys.core.retry import retry
from recsys.core.run import Table
from recsys.core.text import normalise
from recsys.core.times import rfc3339
from recsys.serving.embedded import without_size_warning, write_ahead
from recsys.serving.lineage import Lineage
from recsys.serving.qdrant_errors import is_transient
from recsys.serving.spans import TIMES
from recsys.serving.storage import UNBUILT

BATCH = 512
"Vectors sent in one request; 3 MB of JSON at a width of 384."

ID_PAGE = 10_000
"Point ids read in one request."

Rows = npt.NDArray[np.int64]


def create_collection(
    client: QdrantClient,
    name: str,
    lineage: Lineage,
    embedded: Path | None,
    *,
    metadata: Mapping[str, Any] | None = None,
    many: bool = False,
    quantization: models.ScalarQuantization | None = None,
) -> None:
    """Make an empty collection that knows where it comes from; a server puts off the index of its vectors.

    Args:
        client: Qdrant.
        name: Name of the collection.
        lineage: Width and way of comparing of its vectors.
        embedded: Directory of embedded Qdrant, None for a server.
        metadata: What it knows; the lineage unless given.
        many: A point has several vectors, of which the nearest to a query counts.
        quantization: How vectors are kept beside float32.
    """
    # vectors with a bonus have no unit norm, which cosine would give them
    distance = models.Distance.DOT if lineage.how.is_wide else models.Distance.COSINE
    highest = models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM) if many else None
    client.create_collection(
        name,
        vectors_config=models.VectorParams(size=lineage.width, distance=distance, multivector_config=highest),
        hnsw_config=models.HnswConfigDiff(m=UNBUILT),
        quantization_config=quantization,
        metadata=dict(metadata or lineage.as_metadata()),
    )
    if embedded is not None:
        write_ahead(embedded, name)


def missing_rows(client: QdrantClient, collection: str, wanted: Rows) -> Rows:
    """Return those of ``wanted``, ascending rows, that have no point yet."""
    there: list[int] = []
    offset: Any = None
    while True:
        points, offset = client.scroll(collection, limit=ID_PAGE, offset=offset, with_payload=False)
        there += [p.id for p in points if isinstance(p.id, int)]
        if offset is None:
            return np.setdiff1d(wanted, np.array(there, dtype=np.int64), assume_unique=True)


def upload(
    client: QdrantClient,
    collection: str,
    table: Table,
    rows: Rows,
    payload: Callable[[Table, int], dict[str, Any]],
    beside: Prototypes | None = None,
) -> None:
    """Send the points at ``rows``; the point id is the row, so sending one twice changes nothing.

    Args:
        client: Qdrant.
        collection: Where to.
        table: Vectors and what ``payload`` needs.
        rows: Of the table.
        payload: Makes the payload of a row.
        beside: Further vectors of each point, made as they are sent; ``prototypes`` in its payload are the rows of the
            queries that they are drawn towards.
    """
    size = BATCH if beside is None else max(1, BATCH // (1 + beside.most))
    batches = [rows[start : start + size] for start in range(0, len(rows), size)]
    with without_size_warning():
        for batch in progress(batches, f"publishing {collection}", unit="batch"):
            points = _points(table, batch, payload, beside)
            retry(lambda points=points: client.upsert(collection, points), when=is_transient)  # type: ignore[misc]


def item_payload(table: Table, row: int) -> dict[str, Any]:
    """Return the item's further columns, its id, title and clicks, and when it was first and last clicked."""
    ours = {"id": table.ids[row], "title": table.texts[row], "clicks": int(table.clicks[row])}
    payload = table.payloads[row]
    # of runs from before a text of the item table may have this name
    seen = {name: rfc3339(payload[name]) for name in TIMES if isinstance(payload.get(name), int)}
    return {**payload, **ours, **seen}


def query_payload(table: Table, row: int) -> dict[str, Any]:
    """Return the query's id and normalised text, the rows of the items it votes for and the clicks of each."""
    return {**table.payloads[row], "id": table.ids[row], "text": normalise(table.texts[row])}


def _points(
    table: Table, rows: Rows, payload: Callable[[Table, int], dict[str, Any]], beside: Prototypes | None
) -> models.Batch:
    ids, payloads = rows.tolist(), [payload(table, int(row)) for row in rows]
    if beside is None:
        return models.Batch(ids=ids, vectors=table.vectors[rows].tolist(), payloads=payloads)
    vectors = [beside.all_vectors(table.vectors, row).tolist() for row in ids]
    noted = [{**p, "prototypes": beside.queries_of(row).tolist()} for row, p in zip(ids, payloads, strict=True)]
    return models.Batch(ids=ids, vectors=vectors, payloads=noted)
