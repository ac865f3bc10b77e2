"""How a server keeps a collection: what it indexes, when it builds the index of vectors, and whether in int8 too."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from qdrant_client import QdrantClient, models

from recsys.core.columns import FIRST_SEEN, LAST_SEEN
from recsys.core.errors import ServiceError, UsageError
from recsys.core.run import Table
from recsys.serving.embedded import without_size_warning
from recsys.serving.only import payload_key

UNBUILT = 0
"Links of a point in an HNSW graph that is put off."
SHORT = 200
"Characters of a text that may be a value to filter by; longer ones are descriptions."
ALWAYS = {
    "id": models.PayloadSchemaType.KEYWORD,
    "clicks": models.PayloadSchemaType.INTEGER,
    FIRST_SEEN: models.PayloadSchemaType.DATETIME,
    LAST_SEEN: models.PayloadSchemaType.DATETIME,
}

INTERVAL_SECONDS = 0.5
CALM = 3
"Looks in a row at which a server has nothing to optimise; it starts a little after it is told to."
PATIENCE_SECONDS = 3600.0
"How long an index may take."


class UnknownColumnError(UsageError):
    """A column that is to be indexed is in no item."""

    def __init__(self, column: str, known: Sequence[str]) -> None:
        self.column = column
        super().__init__(
            f"qdrant.indexed names {column!r}, which no item of the run has (columns: {', '.join(known) or 'none'}); "
            "correct it, then run `recsys publish` again"
        )


class NotIndexedError(ServiceError):
    """A server did not finish the index of a collection."""

    def __init__(self, collection: str, reason: str) -> None:
        self.collection = collection
        super().__init__(
            f"the index of {collection!r} did not get ready: {reason}; the alias stays where it is. Look at the "
            "server's log, memory and disk, then run `recsys publish` again: what is uploaded stays"
        )


@dataclass(frozen=True)
class Effort:
    """How dense an HNSW graph is; searches that name no ``hnsw_ef`` look as widely as it was built.

    Attributes:
        links: Of a point (``m``).
        width: Points that are looked at for each, while building and, unless a search says otherwise, while searching
            (``ef_construct``).
    """

    links: int
    width: int


EFFORTS = (Effort(16, 128), Effort(32, 256), Effort(64, 512), Effort(64, 1024))
"From the cheapest; the next is taken where the gate finds that an index misses too much."


@dataclass(frozen=True)
class Storage:
    """How to keep a collection.

    Attributes:
        indexed: Columns of the payload to index; None for all that are fit for filters.
        int8_from: Points from which int8 is kept too; 0 for never.
    """

    indexed: Sequence[str] | None = None
    int8_from: int = 0

    def quantization(self, points: int) -> models.ScalarQuantization | None:
        """Return how a collection of so many points is quantized, None for not at all."""
        if not self.int8_from or points < self.int8_from:
            return None
        int8 = models.ScalarQuantizationConfig(type=models.ScalarType.INT8, quantile=0.99, always_ram=True)
        return models.ScalarQuantization(scalar=int8)

    def schema(self, table: Table) -> dict[str, models.PayloadSchemaType]:
        """Return the columns to index, with the kind of their values.

        Raises:
            UnknownColumnError: A column that is wished for is in no item.
        """
        kinds = column_kinds(table)
        if self.indexed is None:
            return {**{column: kind for column, kind in kinds.items() if kind is not None}, **ALWAYS}
        known = [*kinds, *ALWAYS]
        for column in self.indexed:
            if column not in known:
                raise UnknownColumnError(column, known)
        # what is named and of mixed kinds is compared as text
        wished = {column: kinds.get(column) or models.PayloadSchemaType.KEYWORD for column in self.indexed}
        return {**wished, **ALWAYS}


def column_kinds(table: Table) -> dict[str, models.PayloadSchemaType | None]:
    """Return for each column of the payloads the index that fits all its values; None for long texts and mixtures."""
    seen: dict[str, set[models.PayloadSchemaType | None]] = {}
    for payload in table.payloads:
        for column, value in payload.items():
            values = value if isinstance(value, list) else [value]
            seen.setdefault(column, set()).update(_kind(one) for one in values if one is not None)
    return {column: _common(kinds) for column, kinds in seen.items()}


def index_payload(client: QdrantClient, collection: str, schema: dict[str, models.PayloadSchemaType]) -> None:
    """Index these columns; those that have the index keep it."""
    with without_size_warning():
        for column, kind in schema.items():
            client.create_payload_index(collection, payload_key(column), kind)


def efforts_left(client: QdrantClient, collection: str) -> tuple[Effort, ...]:
    """Return the efforts from that of a collection's index on, or all where it has none yet."""
    built = client.get_collection(collection).config.hnsw_config
    at = [n for n, effort in enumerate(EFFORTS) if (effort.links, effort.width) == (built.m, built.ef_construct)]
    return EFFORTS[at[0] if at else 0 :]


def build_index(
    client: QdrantClient,
    collection: str,
    effort: Effort = EFFORTS[0],
    *,
    many: bool = False,
    pause: Callable[[float], Any] = time.sleep,
) -> None:
    """Let a server build the index that was put off while points were uploaded, and wait until it is there.

    A server leaves parts below its ``indexing_threshold`` without an index and scans them, so it is ready when it has
    nothing left to do, not when all vectors are indexed.

    Args:
        client: Of a server.
        collection: Whole.
        effort: How dense; an index of another is built anew.
        many: Its points have several vectors. It gets no graph and is scanned: between points Qdrant sums what it takes
            the highest of for queries, and such a graph leads to the points with the most vectors.
        pause: Called between looks.

    Raises:
        NotIndexedError: The server reports a failure, or takes longer than :data:`PATIENCE_SECONDS`.
    """
    built = client.get_collection(collection).config.hnsw_config
    if not many and (built.m, built.ef_construct) != (effort.links, effort.width):
        wanted = models.HnswConfigDiff(m=effort.links, ef_construct=effort.width)
        client.update_collection(collection, hnsw_config=wanted)
    calm = 0
    for _ in range(int(PATIENCE_SECONDS / INTERVAL_SECONDS)):
        info = client.get_collection(collection)
        if isinstance(info.optimizer_status, models.OptimizersStatusOneOf1):
            raise NotIndexedError(collection, info.optimizer_status.error)
        calm = calm + 1 if info.status == models.CollectionStatus.GREEN else 0
        if calm == CALM:
            return
        pause(INTERVAL_SECONDS)
    raise NotIndexedError(collection, f"not within {PATIENCE_SECONDS / 60:.0f} minutes")


def _kind(value: object) -> models.PayloadSchemaType | None:
    if isinstance(value, bool):
        return models.PayloadSchemaType.BOOL
    if isinstance(value, int):
        return models.PayloadSchemaType.INTEGER
    if isinstance(value, float):
        return models.PayloadSchemaType.FLOAT
    return models.PayloadSchemaType.KEYWORD if isinstance(value, str) and len(value) <= SHORT else None


def _common(kinds: set[models.PayloadSchemaType | None]) -> models.PayloadSchemaType | None:
    if kinds == {models.PayloadSchemaType.INTEGER, models.PayloadSchemaType.FLOAT}:
        return models.PayloadSchemaType.FLOAT
    return next(iter(kinds)) if len(kinds) == 1 else None
