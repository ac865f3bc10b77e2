"""The offline importer against the online path, and what is left when it breaks off; a server of its own."""

import json
import random
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from pyspark.sql import SparkSession

from recsys.core.settings import Neo4jSettings
from recsys.graph.bulk_import import GraphNotEmptyError, ImportFailedError
from recsys.graph.check import check_graph
from recsys.graph.client import Graph
from recsys.graph.schema import ensure_schema
from recsys.graph.server import Server, running, server_home, start, stop
from recsys.ingest.bulk import Bulk
from recsys.ingest.clean import CLICKS
from recsys.ingest.clicks import load_clicks
from recsys.ingest.job import Job

pytestmark = pytest.mark.timeout(900)  # several starts of Java each

SMALL = Neo4jSettings(heap="512m", page_cache="64m")
NASTY = "\"',;|\\\n\r\t\x01\x1b\x1f\x7f\x85\u2028\ufeff\u00e9\U0001f600`$a b"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A workspace, with a blank in its name, that has a server."""
    path = tmp_path_factory.mktemp("a workspace")
    yield path
    stop(path)


@pytest.fixture
def bulk_job(spark: SparkSession, workspace: Path) -> Iterator[Job]:
    """An ingest that is to go in bulk into the empty graph of the workspace."""
    with connect(start(workspace, SMALL)) as graph:
        graph.write("MATCH (n) DETACH DELETE n")
        ensure_schema(graph)
        yield Job(lambda: spark, graph, workspace, 64, lambda line: None, 1_800_000, bulk=Bulk(SMALL, 1, forced=True))


def connect(server: Server) -> Graph:
    """Open the server's graph."""
    return Graph(server.uri, server.user, server.password)


def no_spark() -> SparkSession:
    """Stand in for Spark where no row may be read."""
    raise AssertionError


def filled(workspace: Path) -> dict[str, list[str]]:
    """Return everything in the graph of the workspace."""
    server = running(workspace)
    assert server is not None
    with connect(server) as graph:
        return everything(graph)


def everything(graph: Graph) -> dict[str, list[str]]:
    """Return every node and relationship with every property and its type, and every constraint.

    Of the times at which a batch began and ended only the type.
    """
    values = (
        "[k IN keys(x) | [k, valueType(x[k]), CASE WHEN k IN ['begun_at', 'completed_at'] THEN null ELSE x[k] END]]"
    )
    nodes = graph.read(f"MATCH (x) RETURN labels(x) AS labels, {values} AS values")
    edges = graph.read(
        f"MATCH (a)-[x]->(b) RETURN type(x) AS type, {values} AS values, labels(a) AS source, labels(b) AS target, "
        "coalesce(a.row, a.label) AS start, coalesce(b.row, b.label) AS end"
    )
    schema = graph.read("SHOW CONSTRAINTS YIELD name, type, labelsOrTypes, properties")
    return {
        name: sorted(
            json.dumps({k: sorted(v) if k == "values" else v for k, v in record.data().items()}) for record in found
        )
        for name, found in (("nodes", nodes), ("edges", edges), ("schema", schema))
    }


def write_log(path: Path, rows: int = 200, seed: int = 1) -> Path:
    """Write clicks with nasty texts and ids, several texts per id, sessions, and every field missing now and then."""
    draw = random.Random(seed)  # noqa: S311

    def nasty() -> str:
        return "".join(draw.choices(NASTY, k=draw.randint(1, 9)))

    ids = [f"{nasty()}{n}" for n in range(60)]
    lines = []
    for _ in range(rows):
        row: dict[str, Any] = {"query_text": f"{nasty()}x{nasty()}", "item_id": draw.choice(ids)}
        row["count"] = draw.randint(1, 4)
        if draw.random() < 0.8:
            row["query_id"] = draw.choice(ids)
        if draw.random() < 0.5:
            row["item_title"] = nasty()
        if draw.random() < 0.8:
            row["session"] = draw.randrange(30)
        if draw.random() < 0.8:
            row["timestamp"] = 1_700_000_000_000 + draw.randrange(8_000_000)
        lines.append(json.dumps(row))
    path.write_text("\n".join(lines) + "\n")
    return path


def test_bulk_and_online_make_the_same_graph(
    job: Job, bulk_job: Job, graph: Graph, sources: Callable, tmp_path: Path
) -> None:
    """Every node, property, type, relationship, row, ledger entry and constraint is the same, whatever texts hold."""
    logs = [write_log(tmp_path / "a;b.jsonl"), write_log(tmp_path / "c.jsonl", rows=5, seed=2)]
    online = load_clicks(replace(job, chunk_rows=64, session_window=1_800_000), sources(CLICKS, *logs))
    in_bulk = load_clicks(bulk_job, sources(CLICKS, *logs))
    assert filled(bulk_job.workspace) == everything(graph)
    assert graph.read("MATCH (i:Item) WHERE i.first_seen < i.last_seen RETURN count(i) AS n")[0]["n"] > 10
    assert (in_bulk.distinct, in_bulk.created, in_bulk.files_new) == (online.distinct, online.created, online.files_new)
    assert in_bulk.distinct["same_session"] > 50
    assert not (bulk_job.workspace / "bulk").exists()
    with connect(start(bulk_job.workspace, SMALL)) as after:
        assert [finding.name for finding in check_graph(after) if not finding.ok] == []
        again = load_clicks(replace(bulk_job, graph=after, bulk=None, start=no_spark), sources(CLICKS, *logs))
        assert (again.files_in_already, again.created.total()) == (2, 0)


def test_a_log_without_sessions_titles_and_times(
    job: Job, bulk_job: Job, graph: Graph, sources: Callable, tmp_path: Path
) -> None:
    """Columns without any value make no property, and a stage without rows no relation, no chunk and no table."""
    log = tmp_path / "a.csv"
    log.write_text("query,item\nred,i1\nblue,i1\nred,i1\n")
    load_clicks(replace(job, chunk_rows=64, max_session_clicks=9), sources(CLICKS, log))
    load_clicks(replace(bulk_job, max_session_clicks=9), sources(CLICKS, log))
    assert filled(bulk_job.workspace) == everything(graph)


def test_only_large_logs_go_in_bulk_by_themselves(bulk_job: Job, sources: Callable, tmp_path: Path) -> None:
    """Under the limit a log goes online, and so does any log into a graph that holds something."""
    log = tmp_path / "a.csv"
    log.write_text("query,item\nred,i1\nblue,i1\n")
    server = running(bulk_job.workspace)
    for limit, item in ((3, "i1"), (1, "i2")):
        log.write_text(f"query,item\nred,{item}\nblue,{item}\n")
        load_clicks(replace(bulk_job, bulk=Bulk(SMALL, limit)), sources(CLICKS, log))
    assert running(bulk_job.workspace) == server
    assert bulk_job.graph is not None
    assert bulk_job.graph.read("MATCH (i:Item) RETURN count(i) AS items")[0]["items"] == 2


def test_a_graph_that_is_not_empty_is_refused(bulk_job: Job, sources: Callable, tmp_path: Path) -> None:
    """Forced into a graph that holds anything it is an error before the log is read, and nothing changes."""
    assert bulk_job.graph is not None
    bulk_job.graph.write("CREATE (:Kept)")
    with pytest.raises(GraphNotEmptyError, match=r"4 nodes.*--no-bulk"):
        load_clicks(bulk_job, sources(CLICKS, write_log(tmp_path / "a.jsonl")))
    assert len(filled(bulk_job.workspace)["nodes"]) == 4


def test_what_is_written_meanwhile_is_kept(bulk_job: Job, sources: Callable, tmp_path: Path) -> None:
    """A graph that is filled while the importer runs stays as it is; the command ends in an error."""
    assert bulk_job.graph is not None

    def say(line: str) -> None:
        if line.startswith("importing") and bulk_job.graph is not None:
            bulk_job.graph.write("CREATE (:Kept)")

    with pytest.raises(GraphNotEmptyError):
        load_clicks(replace(bulk_job, say=say), sources(CLICKS, write_log(tmp_path / "a.jsonl")))
    assert len(filled(bulk_job.workspace)["nodes"]) == 4


def test_an_importer_that_fails_leaves_the_graph(bulk_job: Job, sources: Callable, tmp_path: Path) -> None:
    """The error shows what the importer said; the server has gone on, its graph is as it was."""
    assert bulk_job.graph is not None
    server, before = running(bulk_job.workspace), everything(bulk_job.graph)
    tiny = Bulk(SMALL.model_copy(update={"heap": "1k"}), 1, forced=True)
    with pytest.raises(ImportFailedError, match="heap"):
        load_clicks(replace(bulk_job, bulk=tiny), sources(CLICKS, write_log(tmp_path / "a.jsonl")))
    assert running(bulk_job.workspace) == server
    assert everything(bulk_job.graph) == before


def importers(workspace: Path) -> list[psutil.Process]:
    """Return the importers that run for the workspace."""
    option = f"-Drecsys.import={workspace.resolve() / 'bulk'}"
    return [process for process in psutil.process_iter(["cmdline"]) if option in (process.info["cmdline"] or ())]


def test_a_killed_import_is_thrown_away(bulk_job: Job, sources: Callable, tmp_path: Path) -> None:
    """Killed while its importer runs, it leaves an empty graph; the next run ends its importer and loads the log."""
    log = write_log(tmp_path / "a.jsonl")
    environment = {
        "RECSYS_WORKSPACE": str(bulk_job.workspace),
        "RECSYS_NEO4J__HEAP": SMALL.heap,
        "RECSYS_NEO4J__PAGE_CACHE": SMALL.page_cache,
        "RECSYS_SPARK__MASTER": "local[1]",
        "RECSYS_INGEST__CHUNK_ROWS": "64",
    }
    run = [sys.executable, "-c", "from recsys.cli.main import main; main()", "ingest", "clicks", str(log), "--bulk"]
    with psutil.Popen(run, env=psutil.Process().environ() | environment, stderr=subprocess.DEVNULL) as child:
        while child.poll() is None and not importers(bulk_job.workspace):
            pass
        child.send_signal(signal.SIGKILL)
    assert bulk_job.graph is not None
    assert len(everything(bulk_job.graph)["nodes"]) == 3
    load_clicks(bulk_job, sources(CLICKS, log))
    assert not importers(bulk_job.workspace)
    assert len(filled(bulk_job.workspace)["nodes"]) > 100


def test_an_exchange_that_broke_off_is_finished_by_the_next_start(
    bulk_job: Job, sources: Callable, tmp_path: Path
) -> None:
    """Killed between two renames, the next start has the new graph whole and the old one no more."""
    workspace, graph = bulk_job.workspace, bulk_job.graph
    assert graph is not None
    graph.write("CREATE (:New)")
    stop(workspace)
    home = server_home(workspace)
    for kind in ("databases", "transactions"):
        (home.path / "imported" / kind).mkdir(parents=True)
        (home.path / "data" / kind / "neo4j").rename(home.path / "imported" / kind / "neo4j")
    (home.path / "data" / "databases" / "neo4j").mkdir()
    start(workspace, SMALL)
    assert len(filled(workspace)["nodes"]) == 4
    assert not (home.path / "imported").exists()


def test_a_server_of_somebody_else_is_left_alone_and_told_about(
    bulk_job: Job, sources: Callable, tmp_path: Path
) -> None:
    """The tables are written; the command that is printed, run where they are, imports them."""
    assert bulk_job.graph is not None
    remote = SMALL.model_copy(update={"uri": "neo4j+s://graph.example.org"})
    job = replace(bulk_job, bulk=Bulk(remote, 1, forced=True), workspace=tmp_path / "here")
    summary = load_clicks(job, sources(CLICKS, write_log(tmp_path / "a.jsonl")))
    assert summary.created.total() == 0
    assert len(everything(bulk_job.graph)["nodes"]) == 3
    (line,) = (line for line in summary.to_do if "neo4j-admin" in line)
    words = shlex.split(line)
    for word in words:
        if found := re.fullmatch(r"--(?:nodes|relationships)=\w+=(.*-header\.csv),(.*)/part-\.\*", word):
            assert (tmp_path / "here" / "bulk" / found[1]).is_file()
            assert list((tmp_path / "here" / "bulk" / found[2]).glob("part-*"))
    assert "--nodes=ClickBatch" in line
