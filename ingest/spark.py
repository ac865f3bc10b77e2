"""Starts Spark on a Java that runs it, quietly, with its files in the workspace."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from py4j.protocol import Py4JError
from pyspark.sql import SparkSession

from recsys.core.errors import ServiceError
from recsys.core.files import write_text
from recsys.core.java import find_java, spark_java_home
from recsys.core.settings import SparkSettings
from recsys.ingest.ship import is_one_process, ship
from recsys.ingest.spark_errors import explained

_SUBMITTED = "PYSPARK_GATEWAY_PORT"
"Set where ``spark-submit`` started this process."

# Spark's Python gateway sets the level to that of its own logger and says so, unless they are equal.
# A stream logs what it also raises, and being stopped.
_LOGGING = """rootLogger.level = error
logger.gateway.name = org.apache.spark.api.python.PythonGatewayServer
logger.gateway.level = error
logger.stream.name = org.apache.spark.sql.execution.streaming
logger.stream.level = off
rootLogger.appenderRef.stderr.ref = stderr
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = Spark %p %c{1}: %m%n%ex{1}
"""


class SparkStartError(ServiceError):
    """Spark did not start."""

    def __init__(self, master: str, cause: Exception) -> None:
        self.master = master
        detail = " ".join(str(cause).split())[:300]
        super().__init__(
            f"Spark with master {master!r} does not start ({detail}); check spark.master, spark.driver_memory and "
            "spark.conf with `recsys config show`, then `recsys doctor`"
        )


@contextmanager
def spark_session(settings: SparkSettings, workspace: Path) -> Iterator[SparkSession]:
    """Start Spark and stop it at the end; one that runs in this process already is used and left running.

    Executors in other processes get the code of this one. Under ``spark-submit`` master, memory and the like are what
    it was told, and ``settings.conf`` alone is added.

    Args:
        settings: Master, memory and further properties.
        workspace: Its ``spark`` folder takes spilled data while Spark runs.

    Raises:
        JavaMissingError: There is no Java to run it on.
        SparkStartError: The master or a property is refused.
        SparkJobError: A job failed within the block.
    """
    folder = workspace / "spark"
    running = SparkSession.getActiveSession()
    if running is not None:
        ship(running, folder)
        with explained(folder):
            yield running
        return
    submitted = _SUBMITTED in os.environ
    builder = SparkSession.builder.appName("recsys ingest").config("spark.sql.session.timeZone", "UTC")
    if not submitted:
        builder = builder.master(settings.master).config(map={**_properties(settings, folder)})
    with _environment(_programs(settings, submitted=submitted)):
        try:
            spark = builder.config(map={**settings.conf}).getOrCreate()
        except Exception as error:
            raise SparkStartError("of spark-submit" if submitted else settings.master, error) from error
    try:
        ship(spark, folder)
        with explained(folder):
            yield spark
    finally:
        with suppress(Py4JError, OSError):  # its Java may be gone
            spark.stop()


def _properties(settings: SparkSettings, folder: Path) -> dict[str, str]:
    logging = folder / "log4j2.properties"
    write_text(logging, _LOGGING)
    properties = {
        "spark.driver.memory": settings.driver_memory,
        "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={logging.as_uri()}",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.shuffle.partitions": "32",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    if settings.master.startswith("local"):
        here = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
        properties |= {**here, "spark.local.dir": str(folder)}
    return properties


def _programs(settings: SparkSettings, *, submitted: bool) -> dict[str, str]:
    """Return the variables by which Spark finds Java, and executors Python: on other machines it may lie elsewhere."""
    python = sys.executable
    if submitted or not is_one_process(settings.master):
        python = settings.conf.get("spark.pyspark.python") or os.environ.get("PYSPARK_PYTHON") or python
    java = {} if submitted else {"JAVA_HOME": str(spark_java_home(find_java()))}
    return {**java, "PYSPARK_PYTHON": python}


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
