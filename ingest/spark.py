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
from recsys.ingest.spark_errors import explained

# Spark's Python gateway sets the level to that of its own logger and says so, unless they are equal.
_LOGGING = """rootLogger.level = error
logger.gateway.name = org.apache.spark.api.python.PythonGatewayServer
logger.gateway.level = error
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
        with explained(folder):
            yield running
        return
    logging = folder / "log4j2.properties"
    write_text(logging, _LOGGING)
    properties = {
        "spark.driver.memory": settings.driver_memory,
        "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={logging.as_uri()}",
        "spark.local.dir": str(folder),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "32",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    if settings.master.startswith("local"):
        properties |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    builder = SparkSession.builder.master(settings.master).appName("recsys ingest")
    environment = {"JAVA_HOME": str(spark_java_home(find_java())), "PYSPARK_PYTHON": sys.executable}
    with _environment(environment):
        try:
            spark = builder.config(map={**properties, **settings.conf}).getOrCreate()
        except Exception as error:
            raise SparkStartError(settings.master, error) from error
    try:
        with explained(folder):
            yield spark
    finally:
        with suppress(Py4JError, OSError):  # its Java may be gone
            spark.stop()


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
