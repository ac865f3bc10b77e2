"""Decides which files are new, which are in, and which batch was broken off and goes on first."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from recsys.core.errors import DataError
from recsys.graph.batches import Batch
from recsys.ingest.read import FileContent


class BatchUnfinishedError(DataError):
    """A batch was broken off, and only some of its files are here."""

    def __init__(self, batch: Batch, missing: Sequence[str]) -> None:
        self.batch = batch
        self.missing = tuple(missing)
        again = " --again" if any("~" in file for file in batch.files) else ""
        super().__init__(
            f"an earlier ingest of {', '.join(batch.paths)} was broken off (batch {batch.id}), and the rows of "
            f"{', '.join(missing)} are not among these files; first run `recsys ingest {batch.kind}{again}` with those "
            "files as they were, then this command again"
        )


class BatchLimitError(DataError):
    """A batch was broken off that set other robots aside."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        flag = f"--max-session-clicks {batch.max_session_clicks}" if batch.max_session_clicks else "no limit"
        super().__init__(
            f"an earlier ingest of {', '.join(batch.paths)} was broken off, and it ran with {flag} for sessions; run "
            "this command with the same first"
        )


@dataclass(frozen=True)
class Plan:
    """What to write.

    Attributes:
        batches: In this order; the broken off ones first.
        files: Indices of the files of each batch, one per content.
        done: Files whose rows are in already.
        repeated: Files that hold the same rows as another file of this call.
        unreported: Batches that an earlier call counted once more without getting to say so; of files among ``done``.
    """

    batches: tuple[Batch, ...]
    files: tuple[tuple[int, ...], ...]
    done: int
    repeated: int
    unreported: tuple[str, ...] = ()


def plan_batches(
    kind: str,
    contents: Sequence[FileContent],
    known: Sequence[Batch],
    chunk_rows: int,
    session_window: int = 0,
    max_session_clicks: int | None = None,
    *,
    again: bool = False,
) -> Plan:
    """Sort file contents into batches.

    Counting once more is exactly-once too. Each time has its number, which is part of the content, so a time that was
    broken off goes on rather than another begins; and a time that is in counts as asked for until it was reported.

    Args:
        kind: clicks or links.
        contents: Of the files of this call; those without a good row do not count.
        known: Batches of this kind in the graph.
        chunk_rows: For a new batch; one that was broken off keeps its own.
        session_window: The same, in milliseconds.
        max_session_clicks: Limit of this call for sessions.
        again: Count rows that are in once more.

    Raises:
        BatchUnfinishedError: A batch that was broken off shares some files with this call, but not all.
        BatchLimitError: A batch that was broken off had another limit for sessions.
    """
    if again:
        counted = {file for batch in known if batch.complete and batch.reported for file in batch.files}
        contents = [replace(content, hash=_next_time(content.hash, counted)) for content in contents]
    first: dict[str, int] = {}
    for index, content in enumerate(contents):
        if content.kept:
            first.setdefault(content.hash, index)
    complete = {file for batch in known if batch.complete for file in batch.files}
    resumed = [batch for batch in known if not batch.complete and not first.keys().isdisjoint(batch.files)]
    for batch in resumed:
        missing = [path for path, file in zip(batch.paths, batch.files, strict=True) if file not in first]
        if missing:
            raise BatchUnfinishedError(batch, missing)
        if batch.max_session_clicks != max_session_clicks:
            raise BatchLimitError(batch)
    begun = {file for batch in resumed for file in batch.files}
    new = sorted(first.keys() - complete - begun)
    if new:
        paths = tuple(contents[first[file]].path for file in new)
        batch = Batch(_id(kind, new), kind, tuple(new), paths, chunk_rows)
        resumed.append(replace(batch, session_window=session_window, max_session_clicks=max_session_clicks))
    return Plan(
        batches=tuple(resumed),
        files=tuple(tuple(sorted(first[file] for file in batch.files)) for batch in resumed),
        done=sum(1 for content in contents if content.hash in complete),
        repeated=sum(1 for content in contents if content.kept) - len(first),
        unreported=tuple(b.id for b in known if again and not b.reported and not first.keys().isdisjoint(b.files)),
    )


def _next_time(content: str, counted: Collection[str]) -> str:
    times = itertools.chain([content], (f"{content}~{time}" for time in itertools.count(2)))
    return next(time for time in times if time not in counted)


def _id(kind: str, files: Sequence[str]) -> str:
    return f"{kind}-{hashlib.sha256(chr(0).join(files).encode()).hexdigest()[:20]}"
