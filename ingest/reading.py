"""Reads the files of one call, sets bad rows aside, and passes over files that are known to be in."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pyspark import StorageLevel
from pyspark.sql import DataFrame

from recsys.graph.batches import BatchGoneError
from recsys.graph.client import Graph
from recsys.ingest.clean import CLICKS, Kind
from recsys.ingest.job import Job
from recsys.ingest.known import Known, note_read, nothing_known, recall
from recsys.ingest.read import FileContent, Source, contents, good, read_table
from recsys.ingest.rejects import FOLDER
from recsys.ingest.robots import set_robots_aside
from recsys.ingest.summary import Summary
from recsys.ingest.tally import check_kept, check_rejects, sum_up


@dataclass
class Reading:
    """What the files of one call hold.

    Attributes:
        kind: Of the rows.
        rows: Of the files that were read; None where none had to be.
        found: What each file holds; those that were read come first.
        summary: Counts so far.
        known: Which files were read, and which not.
        most: Clicks of the largest session that was kept; None for all.
    """

    kind: Kind
    rows: DataFrame | None
    found: list[FileContent]
    summary: Summary
    known: Known
    most: int | None = None

    def good(self, files: Sequence[int]) -> DataFrame:
        """Return the good rows of the files at these places of ``found``.

        Raises:
            BatchGoneError: One was not read, since the ledger had it when this call began.
        """
        if self.rows is None or max(files) >= len(self.known.unread):
            raise BatchGoneError(", ".join(self.found[file].hash for file in files))
        return good(self.rows, files)

    def remember(self, graph: Graph) -> None:
        """Note what was read, so that it need not be read again; call it once all of it is in."""
        folder, read = self.summary.rejects, self.found[: len(self.known.unread)]
        note_read(graph, self.known, read, self.kind, self.most, folder.name if folder else "")


@contextmanager
def opened(job: Job, sources: Sequence[Source], kind: Kind, *, skip: bool = False) -> Iterator[Reading]:
    """Read ``sources``, set bad rows aside, and yield what there is.

    Args:
        job: What to work with.
        sources: Files.
        kind: Of their rows.
        skip: Files that are known to be in are not read; for kinds that go into batches.

    Raises:
        FileUnreadableError: A file broke off.
        TooManyRejectsError: More rows are bad than the job allows.
        NoRowsError: No row is good.
    """
    started = time.monotonic()
    most = job.max_session_clicks if kind.name == CLICKS.name else None
    rejects = job.workspace / FOLDER
    known = nothing_known(sources)
    if skip and job.graph is not None and not job.again:
        known = recall(job.graph, sources, kind, most, rejects)
    _say(job, known, kind)
    with _table(job, known.unread, kind, most) as rows:
        read = contents(rows, known.unread, kind) if rows is not None else []
        found = [*read, *known.contents]
        summary = sum_up(kind.name, found, dry_run=job.graph is None, started=started)
        check_rejects(summary, job.max_rejects)
        if rows is not None and job.graph is not None and any(content.refused or content.skipped for content in read):
            summary.rejects = job.aside(rows, known.unread, kind, job.workspace)
        if summary.rejects is None:
            summary.rejects = _folder(known, rejects)
        check_kept(summary, [source.file.name for source in sources])
        yield Reading(kind, rows, found, summary, known, most)
    summary.seconds = time.monotonic() - started


def _say(job: Job, known: Known, kind: Kind) -> None:
    if known.contents:
        job.say(f"{len(known.contents):,} file{'s' * (len(known.contents) != 1)} of {kind.name} in by their bytes")
    if known.unread:
        job.say(f"reading {len(known.unread)} file{'s' * (len(known.unread) != 1)} of {kind.name}")


@contextmanager
def _table(job: Job, sources: Sequence[Source], kind: Kind, most: int | None) -> Iterator[DataFrame | None]:
    if not sources:
        yield None
        return
    read = read_table(job.spark, sources, kind, keep_raw=most is not None)
    rows = read if most is None else set_robots_aside(read, most).persist(StorageLevel.DISK_ONLY)
    try:
        yield rows
    finally:
        rows.unpersist()
        read.unpersist()


def _folder(known: Known, rejects: Path) -> Path | None:
    """Return where rows of files that were not read lie: their folder, or that of all where they are several."""
    if not known.rejects:
        return None
    return rejects / min(known.rejects) if len(known.rejects) == 1 else rejects
