"""Runs the real command on a small log, strikes it while it runs, and compares what it leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import psutil

from benchmarks.faults.proxy import BoltProxy, Trap, Where
from recsys.core.settings import Neo4jSettings
from recsys.graph.client import Graph
from recsys.graph.server import start

Kind = Literal["driver", "interrupt", "worker", "executor", "neo4j", "cut"]
NEO4J = Neo4jSettings(heap="512m", page_cache="64m")
COMMAND_SECONDS = 600
"A command that takes longer hangs, unless one without faults takes more than a tenth of it."
CLUSTER = "local-cluster[2,1,1024]"

# On a cluster nearly every task is done twice, whichever is first. Small tables need no compiled code.
_SETTINGS = """[spark]
driver_memory = "512m"
[spark.conf]
"spark.sql.shuffle.partitions" = "2"
"spark.sql.codegen.wholeStage" = "false"
"spark.speculation" = "true"
"spark.speculation.interval" = "10ms"
"spark.speculation.minTaskRuntime" = "0ms"
"spark.speculation.multiplier" = "1.01"
"spark.speculation.quantile" = "0.1"
"spark.driver.defaultJavaOptions" = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
[ingest]
chunk_rows = {chunk_rows}
"""
_PROCESSES = {"worker": "pyspark.daemon", "executor": "CoarseGrainedExecutorBackend"}
_WAIT_SECONDS = 5.0


@dataclass(frozen=True)
class Fault:
    """One thing that happens to a command.

    Attributes:
        kind: driver and interrupt: kill -9 and Ctrl-C for the command and all it started; worker: kill -9 of a Python
            of Spark; executor: of an executor; neo4j: of the server, which is started again; cut: of a connection.
        commit: At which commit, from 1; None means by time.
        where: Before or after that commit; of a cut: with the answer lost, or without waiting for it.
        seconds: After the start, where not at a commit.
    """

    kind: Kind
    commit: int | None
    where: Where = "before"
    seconds: float = 0.0


@dataclass
class Outcome:
    """What became of a command.

    Attributes:
        code: Exit code; negative for a signal.
        err: What it wrote to stderr.
        struck: Faults that found something to strike, with the commits there were by then.
        commits: Commits in all.
        seconds: From start to end.
    """

    code: int
    err: str
    struck: list[tuple[Fault, int]]
    commits: int
    seconds: float


@dataclass
class Bench:
    """A workspace with a Neo4j behind a proxy, and a log to ingest.

    Attributes:
        folder: Where commands run, with ``recsys.toml``.
        workspace: Of the managed Neo4j.
        chunk_rows: Small, so that there are many commits.
        patience: Seconds after which a command hangs, and an error ends the campaign.
    """

    folder: Path
    workspace: Path
    chunk_rows: int = 20
    patience: float = COMMAND_SECONDS
    proxy: BoltProxy = field(init=False)
    graph: Graph = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "recsys.toml").write_text(_SETTINGS.format(chunk_rows=self.chunk_rows))
        server = start(self.workspace, NEO4J)
        self._password = server.password
        self.proxy = BoltProxy(_port(server.uri))
        self.graph = Graph(server.uri, server.user, server.password)

    def close(self) -> None:
        """Close the connections; the server stays."""
        self.graph.close()
        self.proxy.close()

    def begin(self, *arguments: str, master: str = "local[2]") -> subprocess.Popen[str]:
        """Start ``recsys`` with ``arguments`` in a process group of its own."""
        environment = {
            "RECSYS_WORKSPACE": str(self.folder / "workspace"),
            "RECSYS_NEO4J__URI": f"bolt://127.0.0.1:{self.proxy.port}",
            "RECSYS_NEO4J__PASSWORD": self._password,
            "RECSYS_SPARK__MASTER": master,
        }
        return subprocess.Popen(
            [sys.executable, "-c", "from recsys.cli.main import main; main()", *arguments],
            cwd=self.folder,
            env=os.environ | environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, arguments: Sequence[str], faults: Sequence[Fault] = (), master: str = "local[2]") -> Outcome:
        """Run ``recsys`` with ``arguments``, let ``faults`` strike, and wait for its end."""
        struck: list[tuple[Fault, int]] = []
        process: subprocess.Popen[str] | None = None
        ready = threading.Event()

        def striker(fault: Fault) -> Callable[[], None]:
            def strike() -> None:
                ready.wait()
                assert process is not None
                if self._strike(fault, process):
                    struck.append((fault, self.proxy.commits))

            return strike

        self.proxy.arm(*(Trap(f.commit, f.where, striker(f)) for f in faults if f.commit is not None))
        timers = [threading.Timer(f.seconds, striker(f)) for f in faults if f.commit is None]
        started = time.monotonic()
        process = self.begin(*arguments, master=master)
        ready.set()
        for timer in timers:
            timer.start()
        try:
            _, err = process.communicate(timeout=self.patience)
        finally:
            for timer in timers:
                timer.cancel()
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        for timer in timers:
            timer.join()
        return Outcome(process.returncode, err, struck, self.proxy.commits, time.monotonic() - started)

    def _strike(self, fault: Fault, process: subprocess.Popen[str]) -> bool:
        if fault.kind == "cut":
            return True  # the proxy does it
        if fault.kind == "neo4j":
            self.kill_neo4j()
            return True
        if fault.kind in _PROCESSES:
            return _kill_one(process.pid, _PROCESSES[fault.kind])
        if process.poll() is not None:
            return False
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT if fault.kind == "interrupt" else signal.SIGKILL)
        return True

    def kill_neo4j(self) -> None:
        """Kill the server without a chance to write anything out, and start it again."""
        killed = psutil.Process(start(self.workspace, NEO4J).pid)
        killed.kill()
        killed.wait()  # until then its port is taken, and a server that starts takes another one
        self.proxy.target = _port(start(self.workspace, NEO4J).uri)


def _kill_one(root: int, name: str) -> bool:
    """Kill the youngest descendant of ``root`` with ``name`` in its command line; False if there comes none."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < deadline:
        with suppress(psutil.Error):
            found = [p for p in psutil.Process(root).children(recursive=True) if name in " ".join(p.cmdline())]
            if found:
                max(found, key=lambda p: (p.create_time(), p.pid)).kill()
                return True
        time.sleep(0.05)
    return False


def _port(uri: str) -> int:
    return int(uri.rpartition(":")[2])
