"""What every ``recsys ingest`` command works with: the graph and Spark, opened and closed."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from recsys.cli.output import note, print_json, print_line

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from recsys.core.settings import Settings
    from recsys.ingest.clean import Kind
    from recsys.ingest.hadoop import Hadoop
    from recsys.ingest.job import Job
    from recsys.ingest.layout import Layout
    from recsys.ingest.read import Source
    from recsys.ingest.summary import Summary


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


def find_sources(
    paths: Sequence[str],
    kind: Kind,
    named: Mapping[str, str | None],
    layout: Layout,
    hadoop: Hadoop | None,
    relation: str | None = None,
) -> list[Source]:
    """Find the files at ``paths`` and the columns of ``kind`` in them, and say which were chosen."""
    from recsys.ingest.files import find_files
    from recsys.ingest.read import map_columns

    sources = map_columns(find_files(paths, layout, hadoop), kind, named, relation)
    for line in dict.fromkeys(
        ", ".join(f"{ours} ← {theirs}" for ours, theirs in source.columns.items()) for source in sources
    ):
        note(f"{kind.name}: {line}")
    return sources


def run_ingest(
    load: Callable[[Job], Summary], chosen: Settings, *, dry_run: bool, as_json: bool, bulk: bool | None = False
) -> None:
    """Open a job, print what ``load`` did with it, and report what was counted once more."""
    from recsys.graph.batches import report

    with open_job(chosen, dry_run=dry_run, bulk=bulk) as job:
        summary = load(job)
        if as_json:
            print_json(summary.as_json())
        else:
            for line in summary.lines():
                print_line(line)
        if job.graph is not None and summary.unreported:
            report(job.graph, summary.unreported)
