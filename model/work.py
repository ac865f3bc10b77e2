"""The directory of a training that has not finished, from which the same command goes on."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from recsys.core.errors import DataError


class TrainingInProgressError(DataError):
    """Another process trains with the same settings on the same snapshot."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        super().__init__(f"another process is training in {directory}; wait for it, or change a setting such as --seed")


@contextmanager
def open_work(runs: Path, key: Mapping[str, Any], *, fresh: bool) -> Iterator[Path]:
    """Yield the working directory of the training that ``key`` describes, locked.

    Args:
        runs: Directory of all runs.
        key: Settings and snapshot; the same key gives the same directory, so that a killed training is found again.
        fresh: Forget what an earlier attempt left.

    Raises:
        TrainingInProgressError: Another process has the lock.
    """
    digest = hashlib.sha256(json.dumps(key, sort_keys=True, default=str).encode()).hexdigest()[:12]
    directory = runs / f".{digest}.partial"
    directory.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(runs / f".{digest}.lock")
    try:
        with lock.acquire(timeout=0):
            if fresh:
                shutil.rmtree(directory, ignore_errors=True)
            directory.mkdir(exist_ok=True)
            yield directory
    except Timeout as error:
        raise TrainingInProgressError(directory) from error


def last_checkpoint(directory: Path) -> Path | None:
    """Return the newest checkpoint that is whole: its trainer state is the last file to be written."""
    whole = [path.parent for path in directory.glob("checkpoint-*/trainer_state.json")]
    return max(whole, key=lambda path: int(path.name.split("-")[1]), default=None)


def run_name(directory: Path) -> str:
    """Return a name that sorts by time and tells runs of the same second apart."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{directory.name[1:7]}"
