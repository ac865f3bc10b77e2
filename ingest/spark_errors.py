"""What went wrong in Spark, as one error that names the cause and what to do."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException

from recsys.core.errors import ServiceError, came_of_interrupt

_FAILURES: Final = (Py4JError, PySparkException, EOFError, ConnectionError)
"What a job that fails, and a driver whose Java is gone, raise here."

_GONE: Final = "Spark's Java process ended"
_RAISED = re.compile(r"Traceback \(most recent call last\):\n(?:[ \t].*\n)+(\S.*)$", re.MULTILINE)
"What code of a task raised, in Python."
_CAUSE = re.compile(r"^(?:Caused by: |.*most recent failure: Lost task [^)]*\) \([^)]*\): )(.+)$", re.MULTILINE)
_MORE_MEMORY: Final = (
    "raise spark.driver_memory, such as RECSYS_SPARK__DRIVER_MEMORY=4g (on a cluster spark.executor.memory in "
    "spark.conf), or take fewer cores, such as --master local[2]"
)
_ADVICE: Final = (
    (re.compile(r"No space left on device|Disk quota exceeded"), "make room for Spark's files in {folder}"),
    (re.compile(r"OutOfMemoryError|Java heap space|GC overhead|MemoryError|exit code 137"), _MORE_MEMORY),
    (re.compile(_GONE), f"it was killed, often because the machine ran out of memory: if so, {_MORE_MEMORY}"),
    (
        re.compile(r"Python worker (?:exited|failed)|ExecutorLost|executor lost|Lost executor|Connection reset"),
        f"an executor or its Python was killed, often because the machine ran out of memory: if so, {_MORE_MEMORY}",
    ),
)


class SparkJobError(ServiceError):
    """A Spark job failed half-way: no memory, no disk, an executor that was lost.

    Attributes:
        cause: The line that says why.
        advice: What may help.
    """

    def __init__(self, cause: str, folder: Path) -> None:
        self.cause = cause
        told = (advice.format(folder=folder) for pattern, advice in _ADVICE if pattern.search(cause))
        self.advice = next(told, "check spark.master and spark.conf with `recsys config show`")
        super().__init__(
            f"Spark did not come to an end ({cause}); {self.advice}; then run the same command again: what was written "
            "stays and is not written twice"
        )


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Turn a failure of Spark within the block into one error; a mistake in our own code stays what it is.

    Args:
        folder: Where Spark keeps its files.

    Raises:
        SparkJobError: In place of whatever Spark raised.
    """
    _hush_gateway()
    try:
        yield
    except _FAILURES as error:
        if came_of_interrupt(error):
            raise KeyboardInterrupt from error
        text = _text(_first(error))
        raised = _RAISED.search(text)
        if raised and not _is_known(raised[1]):
            raise
        raise SparkJobError(raised[1] if raised else _cause(text), folder) from error


def _hush_gateway() -> None:
    """Keep py4j from logging, with a traceback, what it also raises; part of it goes to the root logger."""
    logging.getLogger("py4j").setLevel(logging.CRITICAL)
    logging.getLogger().addFilter(_not_of_gateway)


def _not_of_gateway(record: logging.LogRecord) -> bool:
    return record.module != "java_gateway"


def _first(error: BaseException) -> BaseException:
    """Return the failure that those of cleaning up came after."""
    before = error.__context__
    return _first(before) if isinstance(before, _FAILURES) else error


def _text(error: BaseException) -> str:
    if isinstance(error, EOFError | ConnectionError):
        return _GONE
    try:
        text = str(error)
    except Exception:  # it asks Java for its own text
        return _GONE
    return _GONE if "Error while sending or receiving" in text or "Answer from Java side is empty" in text else text


def _cause(text: str) -> str:
    """Return the line that says why: the innermost we know what to do about, else the innermost, else the first."""
    causes: list[str] = _CAUSE.findall(text)
    lines = [line for line in text.splitlines() if line.strip() and "occurred while calling" not in line]
    cause = next(
        (line for line in reversed(causes) if _is_known(line)), (causes or lines[:1] or ["no reason given"])[-1]
    )
    return " ".join(cause.split())[:300]


def _is_known(cause: str) -> bool:
    return any(pattern.search(cause) for pattern, _ in _ADVICE)
