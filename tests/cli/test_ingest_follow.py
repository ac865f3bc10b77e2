from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recsys.graph.client import Graph
from recsys.graph.server import Server

SETTINGS = """
[neo4j]
uri = "{uri}"
[spark]
master = "local[2]"
driver_memory = "1g"
[spark.conf]
"spark.sql.shuffle.partitions" = "2"
"""


@pytest.mark.timeout(900)  # a start of Java and Spark
def test_ctrl_c_stops_cleanly(neo4j_server: Server, graph: Graph, tmp_path: Path) -> None:
    """A line of JSON per round; then Ctrl-C, which a terminal sends to every process, ends it with 0 and no trace."""
    (tmp_path / "recsys.toml").write_text(SETTINGS.format(uri=neo4j_server.uri))
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "a.csv").write_text("query,item\nred,i1\n,i2\n")
    (logs / "b.parquet").write_text("no")
    command = [sys.executable, "-m", "recsys.cli.submit", "ingest", "clicks", "logs", "--follow", "--json"]
    environment = {**os.environ, "RECSYS_NEO4J__PASSWORD": neo4j_server.password}
    with (tmp_path / "err").open("w") as err:
        follower = subprocess.Popen(
            command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=err, start_new_session=True
        )
    assert follower.stdout is not None
    line = follower.stdout.readline()
    os.killpg(follower.pid, signal.SIGINT)
    rest, _ = follower.communicate()
    said = (tmp_path / "err").read_text()
    assert (follower.returncode, rest) == (0, b""), said
    step = json.loads(line)
    assert {key: step[key] for key in ("files", "left_out", "files_new", "kept", "set_aside", "waiting")} == {
        "files": 2,
        "left_out": 1,
        "files_new": 1,
        "kept": 1,
        "set_aside": 1,
        "waiting": 0,
    }
    assert step["lag_seconds"] > 0
    assert "b.parquet cannot be read" in said
    assert "files: 2, of which 1 new and 1 left out" in said
    assert said.endswith("stopped; the same command goes on from here\n")
    assert not [word for word in ("Traceback", "Exception", "ERROR") if word in said], said
    assert graph.read("MATCH ()-[c:CLICKED]->() RETURN sum(c.clicks) AS n")[0]["n"] == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a.csv"], "--follow takes one folder"),
        (["here", "here"], "--follow takes one folder"),
        (["s3a://bucket/logs"], "file system that is not read"),
        (["here", "--again"], "none of --again, --bulk and --dry-run"),
    ],
)
def test_what_cannot_be_followed(
    recsys: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    """It is the user's call, said before anything starts."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").mkdir()
    (tmp_path / "a.csv").write_text("query,item\n")
    outcome = recsys("ingest", "clicks", *arguments, "--follow")
    assert outcome.code == 2
    assert said in outcome.err
    assert not (tmp_path / ".recsys").exists()
