"""Loads a click log by Neo4j's offline importer, where the graph is empty and the log large enough."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from recsys.core.errors import UsageError
from recsys.core.settings import Neo4jSettings
from recsys.graph.bulk_import import (
    GraphNotEmptyError,
    ImportTable,
    check_empty,
    end_orphans,
    import_arguments,
    import_managed,
)
from recsys.graph.client import Graph
from recsys.graph.schema import ensure_schema
from recsys.ingest.batches import plan_batches
from recsys.ingest.bulk_tables import write_tables
from recsys.ingest.job import Job
from recsys.ingest.reading import Reading


class BulkMasterError(UsageError):
    """Spark's executors are on other machines, so they cannot write the importer's input here."""

    def __init__(self, master: str) -> None:
        self.master = master
        super().__init__(
            f"--bulk needs Spark on this machine, and spark.master is {master}; use --master 'local[*]', or leave "
            "--bulk out to go online"
        )


@dataclass(frozen=True)
class Bulk:
    """When a log is loaded by the offline importer, and into what.

    Attributes:
        neo4j: Of the managed server, or of the one that somebody else manages, at ``uri``.
        rows: Good rows from which it is done by itself, where the server is ours.
        forced: Done in any case, or an error.
    """

    neo4j: Neo4jSettings
    rows: int
    forced: bool = False


def check_bulk(job: Job) -> None:
    """Return unless a bulk import is forced and cannot be, before anything is read.

    Raises:
        BulkMasterError: Spark runs elsewhere.
        GraphNotEmptyError: The graph holds something.
    """
    if job.bulk is None or not job.bulk.forced or job.graph is None:
        return
    if not _spark_is_here(job):
        raise BulkMasterError(str(job.spark.sparkContext.master))
    check_empty(job.graph)


def load_in_bulk(job: Job, reading: Reading) -> bool:
    """Load the files by the offline importer and count in the summary, or return False where it is not for them.

    A graph that somebody else manages is not touched: the tables are written, and the summary says what to do.

    Raises:
        ImportFailedError: The importer ended with an error; the graph is as it was.
        GraphNotEmptyError: The graph is not empty and a bulk import is forced, or it was filled meanwhile.
    """
    bulk, graph = job.bulk, job.graph
    if bulk is None or graph is None or job.again or reading.rows is None:
        return False
    if not bulk.forced and (bulk.neo4j.uri or reading.summary.kept < bulk.rows or not _spark_is_here(job)):
        return False
    folder = job.workspace.resolve() / "bulk"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name("bulk.lock")):
        try:
            check_empty(graph)
        except GraphNotEmptyError:
            if bulk.forced:
                raise
            return False
        _load(job, bulk, graph, folder, reading)
    return True


def _load(job: Job, bulk: Bulk, graph: Graph, folder: Path, reading: Reading) -> None:
    kind, summary = reading.kind, reading.summary
    end_orphans(folder)
    shutil.rmtree(folder, ignore_errors=True)
    plan = plan_batches(kind.name, reading.found, [], job.chunk_rows, job.session_window, job.max_session_clicks)
    ((batch,), (files,)) = plan.batches, plan.files
    summary.files_new, summary.files_repeated = len(files), plan.repeated
    job.say(f"writing tables for Neo4j's importer to {folder}")
    tables, totals = write_tables(reading.good(files), batch, folder)
    summary.distinct = {name: n for name, n in totals.items() if name != "clicks"}
    if bulk.neo4j.uri:
        summary.to_do = _explained(bulk.neo4j, folder, tables)
        return
    job.say("importing them; the server stops and starts again at the end")
    server = import_managed(graph, job.workspace, bulk.neo4j, folder, tables)
    with Graph(server.uri, server.user, server.password, bulk.neo4j.database) as filled:
        job.say("creating constraints")
        ensure_schema(filled)
        reading.remember(filled)
    shutil.rmtree(folder)
    summary.created["nodes_created"] = totals["queries"] + totals["items"]
    summary.created["relationships_created"] = totals["pairs"] + totals.get("same_session", 0)


def _spark_is_here(job: Job) -> bool:
    return str(job.spark.sparkContext.master).startswith("local")


def _explained(neo4j: Neo4jSettings, folder: Path, tables: Sequence[ImportTable]) -> tuple[str, ...]:
    command = shlex.join(["neo4j-admin", *import_arguments(neo4j.database, tables)])
    return (
        f"the Neo4j at {neo4j.uri} is not managed by recsys, so nothing is in it yet; on its machine:",
        f"1. copy the folder {folder} there, and go into the copy",
        f"2. stop the server (Enterprise: `STOP DATABASE {neo4j.database}` is enough), as its user run",
        f"   {command}",
        f"   and start it again (`START DATABASE {neo4j.database}`)",
        "3. here, run the same command again without --bulk: it creates the constraints and finds all rows in",
    )
