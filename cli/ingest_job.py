"""What every ``recsys ingest`` command works with: the graph and Spark, opened and closed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from recsys.cli.output import note

if TYPE_CHECKING:
    from recsys.core.settings import Settings
    from recsys.ingest.job import Job


@contextmanager
def open_job(chosen: Settings, *, dry_run: bool = False, bulk: bool | None = False) -> Iterator[Job]:
    """Open the graph, unless it is a dry run, and start Spark; ``bulk`` is None where the size of the log decides."""
    from recsys.cli.clients import open_graph
    from recsys.ingest.bulk import Bulk
    from recsys.ingest.job import Job
    from recsys.ingest.spark import spark_session

    with ExitStack() as stack:
        graph = None if dry_run else stack.enter_context(open_graph(chosen))
        note("starting Spark")
        spark = stack.enter_context(spark_session(chosen.spark, chosen.workspace))
        yield Job(
            spark=spark,
            graph=graph,
            workspace=chosen.workspace,
            chunk_rows=chosen.ingest.chunk_rows,
            say=note,
            session_window=round(chosen.ingest.session_window * 60_000),
            max_rejects=chosen.ingest.max_rejects,
            max_session_clicks=chosen.ingest.max_session_clicks,
            bulk=None if bulk is False else Bulk(chosen.neo4j, chosen.ingest.bulk_rows, forced=bool(bulk)),
        )
