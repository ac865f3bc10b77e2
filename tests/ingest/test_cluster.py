"""Ingest on executors in processes of their own ends in the very graph that one process makes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pyspark
import pytest

from recsys.cli import submit
from recsys.core.java import find_java, spark_java_home
from recsys.graph.check import check_graph
from recsys.graph.client import Graph
from recsys.graph.server import Server
from recsys.graph.server_process import free_port
from recsys.ingest.clean import CLICKS
from recsys.ingest.clicks import load_clicks
from recsys.ingest.job import Job

pytestmark = pytest.mark.timeout(900)  # three starts of Java and Spark

SETTINGS = """
[neo4j]
uri = "{uri}"
[spark]
driver_memory = "1g"
[spark.conf]
"spark.executor.memory" = "512m"
"spark.sql.shuffle.partitions" = "2"
"""
ROWS = [
    {"query": f"query {n * 7 % 23}", "item": f"i{n * 5 % 17}", "session": f"s{n // 6}", "time": 1_700_000_000 + 10 * n}
    for n in range(240)
]


@pytest.fixture
def workplace(neo4j_server: Server, tmp_path: Path) -> Path:
    """A log in three formats, with a bad row, and settings that point at the test server."""
    (tmp_path / "recsys.toml").write_text(SETTINGS.format(uri=neo4j_server.uri))
    logs = tmp_path / "logs"
    logs.mkdir()
    lines = [",".join(map(str, row.values())) for row in ROWS[:80]]
    (logs / "a.csv").write_text("\n".join([",".join(ROWS[0]), *lines, "no item,,s,", ""]))
    (logs / "b.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS[80:160]))
    pq.write_table(pa.Table.from_pylist(ROWS[160:]), logs / "c.parquet", row_group_size=30)
    return tmp_path


@pytest.fixture
def environment(neo4j_server: Server, tmp_path: Path) -> dict[str, str]:
    """Variables of a process that runs Spark; its home is apart, because executors leave their logs there."""
    home = tmp_path / "spark-home"
    home.mkdir()
    for part in Path(pyspark.__file__).parent.iterdir():
        if part.name in ("bin", "jars", "python"):
            (home / part.name).symlink_to(part)
    java = str(spark_java_home(find_java()))
    ours = {"JAVA_HOME": java, "SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1"}
    return {**os.environ, **ours, "RECSYS_NEO4J__PASSWORD": neo4j_server.password}


@pytest.fixture
def expected(
    job: Job, graph: Graph, workplace: Path, sources: Callable, dump: Callable
) -> Iterator[Callable[[list[str], dict[str, str]], None]]:
    """Run a command, and compare what it left with what one process makes."""
    load_clicks(replace(job, session_window=30 * 60_000), sources(CLICKS, workplace / "logs"))
    wanted = dump()
    assert len(wanted["edges"]) > 300
    graph.write("MATCH (n) WHERE NOT n:RowCounter DETACH DELETE n")
    graph.write("MATCH (c:RowCounter) SET c.next = 0, c.adopted = 0")

    def compare(command: list[str], environment: dict[str, str]) -> None:
        done = subprocess.run(command, cwd=workplace, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3_000:]
        summary = json.loads(done.stdout[done.stdout.index("{\n") :])  # spark-submit puts notes there too
        assert (summary["read"], summary["kept"], summary["files_new"]) == (241, 240, 3)
        assert dump() == wanted
        assert [finding.name for finding in check_graph(graph) if not finding.ok or finding.note] == []

    return compare


INGEST = ["ingest", "clicks", "logs", "--json"]


def test_executors_of_their_own_make_the_same_graph(expected: Callable, environment: dict[str, str]) -> None:
    """Two executors of one core, started by the driver."""
    command = [sys.executable, "-m", "recsys.cli.submit", *INGEST, "--master", "local-cluster[2,1,1024]"]
    expected(command, environment)
    (app,) = (Path(environment["SPARK_HOME"]) / "work").iterdir()
    assert len({path.parent.name for path in app.glob("*/recsys-*.zip")}) == 2


def test_a_submitted_job_makes_the_same_graph(expected: Callable, environment: dict[str, str], tmp_path: Path) -> None:
    """spark-submit to a standalone master; the worker knows nothing of recsys, which comes along, nor of the path."""
    spark = Path(environment["SPARK_HOME"]) / "bin"
    master = f"spark://127.0.0.1:{free_port(0)}"
    address = ["--host", "127.0.0.1", "--webui-port", "0"]
    bare = {name: value for name, value in environment.items() if name != "PYTHONPATH"}
    with ExitStack() as stack:

        def start(*command: str) -> subprocess.Popen[str]:
            words = [str(spark / "spark-class"), *command]
            child = subprocess.Popen(words, env=bare, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
            stack.callback(child.wait)
            stack.callback(child.terminate)
            return child

        leader = start("org.apache.spark.deploy.master.Master", *address, "--port", master.rpartition(":")[2])
        assert leader.stderr is not None
        assert any("Starting Spark master" in line for line in leader.stderr)
        size = ["--cores", "2", "--memory", "1g", "--work-dir", str(tmp_path / "work")]
        worker = start("org.apache.spark.deploy.worker.Worker", *address, *size, master)
        assert worker.stderr is not None
        assert any("Successfully registered" in line for line in worker.stderr)
        options = {
            "spark.driver.host": "127.0.0.1",
            "spark.ui.enabled": "false",
            "spark.pyspark.python": sys.executable,
            "spark.hadoop.fs.viewfs.mounttable.far.link./logs": (tmp_path / "logs").as_uri(),
        }
        flags = [word for name, value in options.items() for word in ("--conf", f"{name}={value}")]
        ingest = ["ingest", "clicks", "viewfs://far/logs", "--json"]
        expected([str(spark / "spark-submit"), "--master", master, *flags, submit.__file__, *ingest], environment)
    assert list((tmp_path / "work").glob("app-*/*/recsys-*.zip"))
