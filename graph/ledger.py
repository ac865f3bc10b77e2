"""The ledger: a chunk is written in one transaction with the node that says so, and never twice.

Hence a retry, a kill, a commit whose outcome stayed unknown or a second run of the same input changes nothing.

All writers take the same lock first, so ingests that run at the same time write in turns. Otherwise links could be
written to the anchor of an id while its query is created and adopts what the anchor had until then.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import neo4j

from recsys.graph.client import Graph


@dataclass(frozen=True)
class Chunk:
    """A unit of writing.

    Attributes:
        id: Deterministic: batch content, kind, sequence.
        parameters: Values of the statement's parameters, usually parallel lists.
    """

    id: str
    parameters: dict[str, Any] = field(repr=False)


@dataclass
class Written:
    """What a series of chunks changed.

    Attributes:
        chunks: Chunks written now.
        skipped: Chunks that were in already.
        counts: ``nodes_created``, ``relationships_created`` and ``properties_set``.
    """

    chunks: int = 0
    skipped: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, counters: neo4j.SummaryCounters | None) -> None:
        """Count one chunk; None means that it was skipped."""
        if counters is None:
            self.skipped += 1
            return
        self.chunks += 1
        for name in ("nodes_created", "relationships_created", "properties_set"):
            self.counts[name] += getattr(counters, name)


# What is set must not be read: a value that was read before the lock was there would undo what others wrote meanwhile.
_TAKE_TURNS = "MATCH (c:RowCounter {label: 'Query'}) SET c.locked = true"


def write_chunk(graph: Graph, statement: str, chunk: Chunk) -> neo4j.SummaryCounters | None:
    """Run ``statement`` with the chunk's parameters unless the chunk is in already.

    Returns:
        What the statement changed, without the ledger's own node; None when the chunk was in. When the answer to the
        commit was lost, and another try finds the chunk in, it is what the first try changed.
    """
    tried: list[neo4j.SummaryCounters] = []

    def work(tx: neo4j.ManagedTransaction) -> neo4j.SummaryCounters | None:
        take_turns(tx)
        if tx.run("MATCH (c:Chunk {id: $id}) RETURN 1", id=chunk.id).single() is not None:
            return tried[-1] if tried else None
        tx.run("CREATE (:Chunk {id: $id})", id=chunk.id).consume()
        tried.append(tx.run(statement, chunk.parameters).consume().counters)
        return tried[-1]

    return graph.transaction(work)


def write_again(graph: Graph, statement: str, parameters: dict[str, Any]) -> neo4j.SummaryCounters:
    """Run ``statement``, which is safe to do twice and hence needs no entry, and return what it changed."""
    tried: list[neo4j.SummaryCounters] = []

    def work(tx: neo4j.ManagedTransaction) -> neo4j.SummaryCounters:
        take_turns(tx)
        tried.append(tx.run(statement, parameters).consume().counters)
        # When the answer to the commit was lost, the try after it finds little left to do.
        return max(tried, key=lambda counters: counters.nodes_created + counters.relationships_created)

    return graph.transaction(work)


def take_turns(tx: neo4j.ManagedTransaction) -> None:
    """Wait until no other ingest writes; until ``tx`` ends, none will."""
    tx.run(_TAKE_TURNS).consume()


def chunks_in(graph: Graph, prefix: str) -> set[str]:
    """Return the ids of the chunks that are in and start with ``prefix``."""
    records = graph.read("MATCH (c:Chunk) WHERE c.id STARTS WITH $prefix RETURN collect(c.id) AS ids", prefix=prefix)
    return set(records[0]["ids"])
