"""Batches of the ledger: which file contents are in, and which were begun."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import neo4j

from recsys.core.errors import DataError
from recsys.graph.client import Graph
from recsys.graph.ledger import take_turns


class BatchTakenError(DataError):
    """File contents were begun by another ingest in the meantime."""

    def __init__(self, batch: str, paths: Sequence[str]) -> None:
        self.batch = batch
        self.paths = tuple(paths)
        super().__init__(
            f"another ingest has begun with the rows of {', '.join(paths)} (batch {batch}); wait for it, then run the "
            "same command again"
        )


class BatchGoneError(DataError):
    """The graph was replaced while a batch was written."""

    def __init__(self, batch: str) -> None:
        self.batch = batch
        super().__init__(
            f"the ledger no longer holds batch {batch}: another command has replaced the graph meanwhile; run the same "
            "command again"
        )


@dataclass(frozen=True)
class Batch:
    """File contents that are written together, each exactly once.

    Attributes:
        id: Deterministic: from kind and files.
        kind: clicks or links.
        files: Hashes of the contents, sorted.
        paths: Where they were read from when the batch began.
        chunk_rows: Rows per chunk; fixed when the batch begins, because chunk ids count on it.
        complete: Everything is in.
        session_window: Milliseconds between queries that ``SAME_SESSION`` joins, 0 for none; fixed like ``chunk_rows``.
        max_session_clicks: Sessions of more clicks were set aside; None where all were kept.
        reported: Whoever finished it by counting rows once more was told so; until then it must not be done again.
    """

    id: str
    kind: str
    files: tuple[str, ...]
    paths: tuple[str, ...]
    chunk_rows: int
    complete: bool = False
    session_window: int = 0
    max_session_clicks: int | None = None
    reported: bool = True


def list_batches(graph: Graph, kind: str) -> list[Batch]:
    """Return the batches of ``kind`` in order of id, complete or not."""
    records = graph.read(
        "MATCH (b:ClickBatch {kind: $kind}) RETURN b.id AS id, b.files AS files, b.paths AS paths, "
        "b.chunk_rows AS chunk_rows, b.complete AS complete, coalesce(b.session_window, 0) AS session_window, "
        "b.max_session_clicks AS most, coalesce(b.reported, true) AS reported ORDER BY id",
        kind=kind,
    )
    return [
        Batch(
            id=r["id"],
            kind=kind,
            files=tuple(r["files"]),
            paths=tuple(r["paths"]),
            chunk_rows=r["chunk_rows"],
            complete=r["complete"],
            session_window=r["session_window"],
            max_session_clicks=r["most"],
            reported=r["reported"],
        )
        for r in records
    ]


def begin(graph: Graph, batch: Batch) -> None:
    """Enter ``batch`` as begun; nothing changes when it is in.

    Raises:
        BatchTakenError: A different batch holds one of its files.
    """

    def work(tx: neo4j.ManagedTransaction) -> None:
        take_turns(tx)  # two ingests that begin at the same moment see each other
        other = tx.run(
            "MATCH (b:ClickBatch {kind: $kind}) WHERE b.id <> $id AND any(file IN b.files WHERE file IN $files) "
            "RETURN b.id AS id, b.paths AS paths LIMIT 1",
            kind=batch.kind,
            id=batch.id,
            files=list(batch.files),
        ).single()
        if other is not None:
            raise BatchTakenError(other["id"], other["paths"])
        tx.run(
            "MERGE (b:ClickBatch {id: $id}) ON CREATE SET b.kind = $kind, b.files = $files, b.paths = $paths, "
            "b.chunk_rows = $chunk_rows, b.session_window = $session_window, b.max_session_clicks = $most, "
            "b.complete = false, b.begun_at = datetime()",
            id=batch.id,
            kind=batch.kind,
            files=list(batch.files),
            paths=list(batch.paths),
            chunk_rows=batch.chunk_rows,
            session_window=batch.session_window,
            most=batch.max_session_clicks,
        ).consume()

    graph.transaction(work)


def complete(graph: Graph, batch: Batch, totals: Mapping[str, Any], *, reported: bool = True) -> None:
    """Mark ``batch`` as in, with its totals; where it is not ``reported``, :func:`report` does that later.

    Raises:
        BatchGoneError: It is not in the ledger.
    """
    counts = graph.write(
        "MATCH (b:ClickBatch {id: $id}) SET b += $totals, b.complete = true, b.completed_at = datetime(), "
        "b.reported = CASE WHEN $reported THEN null ELSE false END",
        id=batch.id,
        totals=dict(totals),
        reported=reported,
    )
    if not counts.properties_set:
        raise BatchGoneError(batch.id)


def report(graph: Graph, batches: Sequence[str]) -> None:
    """Note that whoever asked for these batches was told that they are in."""
    graph.write("MATCH (b:ClickBatch) WHERE b.id IN $ids REMOVE b.reported", ids=list(batches))
