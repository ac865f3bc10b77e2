"""Spark jobs that fail half-way."""

from __future__ import annotations

import logging
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from py4j.protocol import Py4JNetworkError
from pyspark.errors import PythonException
from pyspark.sql import DataFrame, SparkSession

from recsys.ingest.spark_errors import SparkJobError, explained

FAILURES = {"memory": MemoryError(), "disk": OSError(28, "No space left on device"), "mistake": KeyError("k")}


def failing(spark: SparkSession, how: str) -> DataFrame:
    """Return a table whose only task kills its Python, or raises ``how``."""

    def work(batches: Iterator[object]) -> Iterator[object]:
        if how == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        for _ in batches:
            raise FAILURES[how]
        yield from ()

    return spark.range(0, 1, 1, 1).mapInArrow(work, "id long")  # type: ignore[arg-type]  # batches stay unread


@pytest.mark.parametrize(
    ("how", "cause", "advice"),
    [
        ("killed", "Python worker exited unexpectedly|Connection reset", r"spark\.driver_memory"),
        ("memory", "MemoryError", r"spark\.driver_memory"),
        ("disk", "No space left on device", r"make room .* in elsewhere"),
    ],
)
@pytest.mark.parametrize("reading", ["collected", "streamed"])
def test_a_job_that_fails_says_why_and_what_to_do(
    spark: SparkSession, how: str, cause: str, advice: str, reading: str
) -> None:
    """However the table is read, the error has the line that matters and ends with what to do."""
    table = failing(spark, how)
    with pytest.raises(SparkJobError, match=advice) as error, explained(Path("elsewhere")):
        table.collect() if reading == "collected" else list(table.toLocalIterator(prefetchPartitions=True))
    assert re.search(cause, error.value.cause)
    assert "run the same command again" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_mistake_of_ours_is_not_hidden(spark: SparkSession) -> None:
    """An error in the code of a task stays what it is."""
    with pytest.raises(PythonException, match="KeyError"), explained(Path()):
        failing(spark, "mistake").collect()


@pytest.mark.parametrize("gone", [EOFError(), Py4JNetworkError("Answer from Java side is empty"), BrokenPipeError()])
def test_java_that_is_gone_is_named(gone: Exception) -> None:
    """The driver then has nothing to say but that its connection ended; what cleaning up raises does not count."""

    def clean_up() -> None:
        try:
            raise gone
        finally:
            raise Py4JNetworkError("An error occurred while trying to connect to the Java server")

    with pytest.raises(SparkJobError, match=r"Java process ended.*run the same command again"), explained(Path()):
        clean_up()


def test_ctrl_c_stays_one_whatever_spark_stumbles_over() -> None:
    """What cleaning up raises on a connection that it left in mid-answer does not turn it into an error of Spark."""

    def clean_up() -> None:
        try:
            raise KeyboardInterrupt
        finally:
            raise Py4JNetworkError("Error while sending or receiving")

    with pytest.raises(KeyboardInterrupt), explained(Path()):
        clean_up()


def test_what_the_gateway_logs_is_not_shown(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """It logs what it raises too, through the root logger; other records of that logger pass."""
    with explained(tmp_path):
        for module in ("java_gateway", "ours"):
            what = {"msg": module, "module": module, "levelno": logging.ERROR}
            logging.getLogger().handle(logging.makeLogRecord(what))
    assert [record.message for record in caplog.records] == ["ours"]
