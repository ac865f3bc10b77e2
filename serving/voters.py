"""The collection of training queries: looked up by id or text, and the nearest ones vote for what they clicked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from qdrant_client import QdrantClient, models

from recsys.core.errors import DataError
from recsys.core.run import Table
from recsys.serving.lineage import Lineage, collection_names
from recsys.serving.storage import build_index, index_payload
from recsys.serving.upload import create_collection, missing_rows, query_payload, upload

Rows = npt.NDArray[np.int64]

SCHEMA = {"id": models.PayloadSchemaType.KEYWORD, "text": models.PayloadSchemaType.KEYWORD}
"What a query is looked up by."


class VotersTakenError(DataError):
    """A collection has the name of the run's queries and was not made from this run."""

    def __init__(self, collection: str) -> None:
        self.collection = collection
        super().__init__(
            f"Qdrant already has a collection {collection!r} that was not made from this run; delete it there or "
            "rename the run directory, then run `recsys publish` again"
        )


def voters_of(collection: str) -> str:
    """Return the name of the collection of queries beside a collection of items."""
    return f"{collection}-queries"


def publish_voters(
    client: QdrantClient, collection: str, queries: Table, lineage: Lineage, embedded: Path | None
) -> int:
    """Make the collection of the run's voters, or what is missing of it.

    A query that clicked nothing, or that has the zero vector, does not vote. The vectors are those of single searches,
    so that a backend may search the items by the id of a query.

    Args:
        client: Qdrant.
        collection: Of the run's items.
        queries: Of the run.
        lineage: Of the items.
        embedded: Directory of embedded Qdrant, None for a server.

    Returns:
        Points that were sent.

    Raises:
        VotersTakenError: Something else has the name.
    """
    name, origin = voters_of(collection), _origin(lineage)
    if name not in collection_names(client):
        create_collection(client, name, lineage, embedded, metadata=origin)
    elif (client.get_collection(name).config.metadata or {}) != origin:
        raise VotersTakenError(name)
    missing = missing_rows(client, name, _voting(queries))
    index_payload(client, name, SCHEMA)
    upload(client, name, queries, missing, query_payload)
    if embedded is None:
        build_index(client, name)
    return len(missing)


def remove(client: QdrantClient, collection: str) -> None:
    """Delete a collection of items and its voters, these first: what is left over is found by the items' lineage."""
    if voters_of(collection) in collection_names(client):
        client.delete_collection(voters_of(collection))
    client.delete_collection(collection)


def _voting(queries: Table) -> Rows:
    return np.flatnonzero((queries.degree > 0) & queries.vectors.any(axis=1))


def _origin(lineage: Lineage) -> dict[str, Any]:
    return {"queries_of": lineage.run, "encoder_hash": lineage.encoder_hash, "created_at": lineage.created_at}
