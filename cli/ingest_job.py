"""What every ``recsys ingest`` command works with: the graph and Spark, opened and closed."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from recsys.cli.output import note

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from recsys.core.settings import Settings
    from recsys.ingest.hadoop import Hadoop
    from recsys.ingest.job import Job


@contextmanager
def open_hadoop(paths: Sequence[str], chosen: Settings) -> Iterator[Hadoop | None]:
    """Start Spark, for Hadoop to look up ``paths``, where one of them is no path of this machine; else yield None."""
    from recsys.ingest.place import is_remote

    if not any(map(is_remote, paths)):
        yield None
        return
    from recsys.ingest.hadoop import Hadoop

    with _open_spark(chosen) as spark:
        yield Hadoop(spark)


@contextmanager
def open_job(chosen: Settings, *, dry_run: bool = False, bulk: bool | None = False) -> Iterator[Job]:
    """Open the graph, unless it is a dry run; ``bulk`` is None where the size of the log decides.

    Spark starts once it is needed: a log that is known to be in does without.
    """
    from recsys.cli.clients import open_graph
    from recsys.ingest.bulk import Bulk
    from recsys.ingest.job import Job

    with ExitStack() as stack:
        graph = None if dry_run else stack.enter_context(open_graph(chosen))
        yield Job(
            start=functools.cache(lambda: stack.enter_context(_open_spark(chosen))),
            graph=graph,
            workspace=chosen.workspace,
            chunk_rows=chosen.ingest.chunk_rows,
            say=note,
            session_window=round(chosen.ingest.session_window * 60_000),
            max_rejects=chosen.ingest.max_rejects,
            max_session_clicks=chosen.ingest.max_session_clicks,
            bulk=None if bulk is False else Bulk(chosen.neo4j, chosen.ingest.bulk_rows, forced=bool(bulk)),
        )


@contextmanager
def _open_spark(chosen: Settings) -> Iterator[SparkSession]:
    from pyspark.sql import SparkSession

    from recsys.ingest.spark import spark_session

    if SparkSession.getActiveSession() is None:
        note("starting Spark")
    with spark_session(chosen.spark, chosen.workspace) as spark:
        yield spark
