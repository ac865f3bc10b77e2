"""Clicks on results as JSON Lines, in the form that ``recsys ingest clicks`` reads without flags."""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Click:
    """A click on a result; the first six fields are columns that an ingest knows, the others say what was shown.

    Attributes:
        query_id: Of the graph where the run knows the query, else made from the text as an ingest does.
        query_text: As typed.
        item_id: What was clicked.
        item_title: Its text.
        session: Of the browser.
        timestamp: ISO 8601, UTC.
        rank: From 1.
        shown: Which list it stood in: ``graph`` or ``text``.
        collection: That answered.
    """

    query_id: str
    query_text: str
    item_id: str
    item_title: str
    session: str
    timestamp: str
    rank: int
    shown: str
    collection: str


class ClickLog:
    """A folder of click logs, of which the one that grows has a name that ingest passes over.

    An ingest knows a file by its content, so a file must not grow once it was read. It is renamed, by dropping the dot
    its name begins with, when it is old enough, when the log is closed, and by the next process where this one is
    killed. Threads may share it.
    """

    def __init__(self, directory: Path, minutes: float, *, now: Callable[[], datetime] = _now) -> None:
        """Finish what killed processes left.

        Args:
            directory: Made when the first click comes.
            minutes: How long a file grows.
            now: With a time zone.
        """
        self._directory = directory
        self._age = timedelta(minutes=minutes)
        self._now = now
        self._writing = threading.Lock()
        self._file: IO[str] | None = None
        self._begun = now()
        self._files = 0
        self.clicks = 0
        for left in directory.glob(".*.jsonl"):
            with left.open("rb") as file:
                if left.stat().st_size and _lock(file):
                    _show(left)

    def add(self, click: Click) -> None:
        """Append a click; it is in the hands of the operating system when this returns."""
        line = json.dumps(asdict(click), ensure_ascii=False) + "\n"
        with self._writing:
            self._turn()
            file = self._file or self._open()
            file.write(line)
            file.flush()
            self.clicks += 1

    def turn(self) -> None:
        """Close the file where it is old enough."""
        with self._writing:
            self._turn()

    def close(self) -> None:
        """Close the file; a later click begins another."""
        with self._writing:
            self._close()

    def now(self) -> str:
        """Return the time as a click has it, to the millisecond."""
        return self._now().isoformat(timespec="milliseconds")

    def _turn(self) -> None:
        if self._now() - self._begun >= self._age:
            self._close()

    def _open(self) -> IO[str]:
        self._directory.mkdir(parents=True, exist_ok=True)
        self._begun, self._files = self._now(), self._files + 1
        name = f".{self._begun:%Y%m%dT%H%M%S}-{os.getpid()}-{self._files}.jsonl"
        self._file = (self._directory / name).open("a", encoding="utf-8")
        _lock(self._file)
        return self._file

    def _close(self) -> None:
        if self._file is not None:
            os.fsync(self._file.fileno())
            self._file.close()
            _show(Path(self._file.name))
            self._file = None


def _lock(file: IO[Any]) -> bool:
    """Lock a file while this process lives and has it open; False where another has, in another container too."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _show(path: Path) -> None:
    path.rename(path.with_name(path.name.removeprefix(".")))
