"""What every ingest works with, and how it writes: in stages, through the ledger."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession

from recsys.core.progress import progress
from recsys.graph.batches import Batch, begin, complete, list_batches
from recsys.graph.client import Graph
from recsys.graph.ledger import Chunk, chunks_in, write_again, write_chunk
from recsys.ingest.batches import plan_batches
from recsys.ingest.clean import Kind
from recsys.ingest.read import Source
from recsys.ingest.rejects import write_rejects
from recsys.ingest.stream import pages
from recsys.ingest.summary import Summary

if TYPE_CHECKING:
    from recsys.ingest.bulk import Bulk
    from recsys.ingest.reading import Reading


@dataclass(frozen=True)
class Job:
    """What an ingest works with.

    Attributes:
        start: Returns the session of Spark, which it starts when it is first called.
        graph: With our schema; None for a dry run, which writes nothing at all.
        workspace: Rejects go to its ``rejects`` folder.
        chunk_rows: Nodes or relationships per transaction.
        say: Called with a line about what is going on.
        session_window: Milliseconds between queries that ``SAME_SESSION`` joins; 0 for none.
        max_rejects: Most rows that may be bad, such as ``500`` or ``1%``; beyond it nothing is written.
        max_session_clicks: Sessions of more clicks are set aside; None keeps all.
        again: Rows that are in are counted once more; whoever tells of the summary calls ``report`` with its batches.
        bulk: Whether and how click logs may be loaded by Neo4j's offline importer; None for never.
        aside: What is done with rows that have a reason; returns where they are.
    """

    start: Callable[[], SparkSession]
    graph: Graph | None
    workspace: Path
    chunk_rows: int
    say: Callable[[str], None]
    session_window: int = 0
    max_rejects: str = "100%"
    max_session_clicks: int | None = None
    again: bool = False
    bulk: Bulk | None = None
    aside: Callable[[DataFrame, Sequence[Source], Kind, Path], Path | None] = write_rejects

    @property
    def spark(self) -> SparkSession:
        """The session."""
        return self.start()


@dataclass(frozen=True)
class Stage:
    """One table to write.

    Attributes:
        name: Part of the chunk ids and key of the count in the summary.
        table: What to write.
        by: Columns that order it; unique.
        statement: Writes one chunk.
        parameters: Makes the statement's parameters from a page.
        creates: The counter of the database that says what was created.
        sums: Whole-number column whose sum goes into the batch's totals under its name.
    """

    name: str
    table: DataFrame
    by: tuple[str, ...]
    statement: str
    parameters: Callable[[pa.RecordBatch], dict[str, Any]]
    creates: Literal["nodes_created", "relationships_created"] = "nodes_created"
    sums: str | None = None


def write_batches(
    job: Job,
    reading: Reading,
    stages: Callable[[DataFrame, Batch], list[Stage]],
) -> None:
    """Write the files that are not in yet, each row exactly once, and count in the summary of ``reading``.

    Raises:
        BatchUnfinishedError, BatchTakenError: The ledger says that other files come first.
        BatchGoneError: It does not say any more what it said when the call began.
        BatchLimitError: A batch that was broken off set other robots aside.
    """
    kind, summary = reading.kind, reading.summary
    known = [] if job.graph is None else list_batches(job.graph, kind.name)
    limits = (job.chunk_rows, job.session_window, job.max_session_clicks)
    plan = plan_batches(kind.name, reading.found, known, *limits, again=job.again)
    summary.files_in_already, summary.files_repeated = plan.done, plan.repeated
    summary.unreported = [*plan.unreported, *(batch.id for batch in plan.batches if job.again)]
    if plan.unreported:
        job.say("an earlier --again counted some of these files and ended before it said so; they are not added now")
    for batch, files in zip(plan.batches, plan.files, strict=True):
        rows = reading.good(files)
        summary.files_new += len(files)
        batch_job = replace(job, chunk_rows=batch.chunk_rows)
        if job.graph is not None:
            begin(job.graph, batch)
        totals: dict[str, int] = {}
        for stage in stages(rows, batch):
            totals |= write_stage(batch_job, stage, summary, batch)
        if job.graph is not None:
            complete(job.graph, batch, totals, reported=not job.again)
    if job.graph is not None:
        reading.remember(job.graph)


def write_stage(job: Job, stage: Stage, summary: Summary, batch: Batch | None = None) -> dict[str, int]:
    """Write one table chunk by chunk and return its rows, and the sum of ``stage.sums``; a dry run only counts rows.

    Args:
        job: What to work with.
        stage: What to write.
        summary: Where to count.
        batch: Chunks that the ledger has under this batch are skipped; without, the statement is safe to repeat.
    """
    if job.graph is None:
        rows = stage.table.count()
        summary.distinct[stage.name] = summary.distinct.get(stage.name, 0) + rows
        return {stage.name: rows}
    prefix = f"{batch.id}/{stage.name}/" if batch else ""
    done = chunks_in(job.graph, prefix) if batch else frozenset[str]()
    rows = created = total = 0
    started = time.monotonic()
    chunks = pages(stage.table, stage.by, job.chunk_rows)
    for number, page in enumerate(progress(chunks, f"writing {stage.name}", unit="chunk")):
        rows += page.num_rows
        total += pc.sum(page.column(stage.sums)).as_py() if stage.sums else 0
        chunk_id = f"{prefix}{number}"
        if chunk_id in done:
            continue
        parameters = stage.parameters(page)
        if batch:
            counts = write_chunk(job.graph, stage.statement, Chunk(chunk_id, parameters))
        else:
            counts = write_again(job.graph, stage.statement, parameters)
        created += getattr(counts, stage.creates) if counts else 0
    summary.distinct[stage.name] = summary.distinct.get(stage.name, 0) + rows
    summary.created[stage.creates] += created
    job.say(f"{stage.name.replace('_', ' ')}: {rows:,} in {time.monotonic() - started:.1f} s")
    return {stage.name: rows, stage.sums: total} if stage.sums else {stage.name: rows}
