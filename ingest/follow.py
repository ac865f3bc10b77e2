"""Follows a folder: files go into the graph as they arrive, until somebody says stop.

Spark's file source says which files are new, and its checkpoint spares reading the old ones after a restart. Neither is
what keeps counts exact: that is the ledger, which has the content of every file that is in. A file that is offered
twice, after a kill or under another name, adds nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout
from pyspark.errors import StreamingQueryException
from pyspark.sql import DataFrame

from recsys.core.errors import DataError, UsageError
from recsys.graph.batches import BatchTakenError
from recsys.graph.follows import follow_id
from recsys.graph.neo4j_errors import GraphUnreachableError
from recsys.ingest.arrivals import Arrivals, arriving
from recsys.ingest.batches import BatchLimitError, BatchUnfinishedError
from recsys.ingest.job import Job
from recsys.ingest.layout import Format
from recsys.ingest.summary import Summary

WAITS: Final = (5.0, 10.0, 20.0, 40.0, 60.0)
"Seconds between tries while the graph is away; the last one goes on."

_LOOK_SECONDS = 0.5
_COMMIT_SECONDS = 0.05


class FollowedAlreadyError(UsageError):
    """Another process of this workspace follows the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        super().__init__(f"{folder} is followed into this graph already; stop that process first, or leave it to it")


class _StoppedError(Exception):
    """Ends a micro-batch that did not begin to write; Spark offers its files again at the next start."""


@dataclass(frozen=True)
class Step:
    """One micro-batch.

    Attributes:
        files: Files taken.
        left_out: Those of them that are empty or cannot be used.
        summaries: What was added, in one ingest or, where files were left out, in one per file.
        lag_seconds: From the last change of the oldest of the files until all were in.
        waiting: Ages in seconds of the files that came meanwhile, the oldest first.
    """

    files: int
    left_out: int
    summaries: tuple[Summary, ...]
    lag_seconds: float
    waiting: tuple[float, ...]


@dataclass(frozen=True)
class Following:
    """What a follower goes by.

    Attributes:
        job: What to work with; with a graph.
        folder: Absolute; searched to any depth.
        load: Adds the files of these names to the graph.
        tell: Called after each micro-batch.
        stop: Once set, the micro-batch under way is finished and nothing further begun.
        format: Of every file, whatever its name; None goes by the name.
        every: Seconds between looks.
        waits: Seconds between tries while the graph is away.
    """

    job: Job
    folder: Path
    load: Callable[[Sequence[str]], Summary]
    tell: Callable[[Step], None]
    stop: threading.Event
    format: Format | None = None
    every: float = 5.0
    waits: Sequence[float] = WAITS


def follow(following: Following) -> None:
    """Add files as they arrive; return once ``stop`` is set and nothing is half-written.

    A file that cannot be used is named and left out. While the graph is away, files wait.

    Raises:
        FollowedAlreadyError: Another process of the workspace does the same.
        BatchUnfinishedError, BatchLimitError: A batch that was broken off needs its other files or limit first.
        GraphRefusedError: The graph refuses us.
    """
    graph = following.job.graph
    assert graph is not None  # noqa: S101 - following is never a dry run
    home = following.job.workspace / "follow" / follow_id(graph, str(following.folder))
    home.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(home / "lock", timeout=0):
            _Follower(following, home / "checkpoint").run()
    except Timeout:
        raise FollowedAlreadyError(following.folder) from None


class _Follower:
    def __init__(self, following: Following, checkpoint: Path) -> None:
        self._following = following
        self._checkpoint = checkpoint
        self._arrivals = Arrivals(following.folder, following.format, checkpoint)
        self._begin = threading.Lock()
        self._idle = threading.Event()
        self._idle.set()
        self._failure: Exception | None = None

    def run(self) -> None:
        following = self._following
        writer = arriving(following.job.spark, following.folder).writeStream.foreachBatch(self._step)
        writer = writer.option("checkpointLocation", str(self._checkpoint))
        query = writer.trigger(processingTime=f"{round(following.every * 1_000)} milliseconds").start()
        try:
            while query.isActive and not following.stop.wait(_LOOK_SECONDS):
                pass
            with self._begin:
                pass  # a micro-batch has either begun, and is waited for, or sees that it must not
            self._idle.wait()
            while query.isActive and query.status["isTriggerActive"]:
                time.sleep(_COMMIT_SECONDS)  # until its files are noted and need not be read again
        finally:
            with suppress(StreamingQueryException):  # what ended it is raised below, or it was us
                query.stop()
        if self._failure is not None:
            raise self._failure
        if not following.stop.is_set():
            query.awaitTermination()  # it ended by itself, and raises why

    def _step(self, files: DataFrame, _: int) -> None:
        with self._begin:
            if self._following.stop.is_set():
                raise _StoppedError
            self._idle.clear()
        try:
            self._add(files)
        except _StoppedError:
            raise
        except Exception as error:
            self._failure = error
            raise
        finally:
            self._idle.set()

    def _add(self, files: DataFrame) -> None:
        changed = self._arrivals.take(files.collect())
        if not changed:
            return
        summaries = self._take([str(path) for path in changed])
        now = time.time()
        step = Step(
            files=len(changed),
            left_out=len(changed) - sum(summary.files for summary in summaries),
            summaries=tuple(summaries),
            lag_seconds=now - min(changed.values()),
            waiting=self._arrivals.waiting(now),
        )
        self._following.tell(step)

    def _take(self, paths: list[str]) -> list[Summary]:
        """Add the files together or, where one of them is in the way, one by one."""
        try:
            return [self._patiently(paths)]
        except (BatchUnfinishedError, BatchLimitError):
            raise
        except (DataError, UsageError) as error:
            if len(paths) == 1:
                self._following.job.say(f"left out: {error}")
                return []
        return list(chain.from_iterable(self._take([path]) for path in paths))

    def _patiently(self, paths: list[str]) -> Summary:
        waits = self._following.waits
        for wait in chain(waits, repeat(waits[-1])):
            try:
                return self._following.load(paths)
            except (GraphUnreachableError, BatchTakenError) as error:
                self._following.job.say(f"{len(paths):,} files wait; next try in {wait:.0f} s: {error}")
                if self._following.stop.wait(wait):
                    break
        raise _StoppedError
