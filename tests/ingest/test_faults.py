"""The real command, killed five times on its way; ``python -m benchmarks.faults`` does it a hundred times."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.faults.bench import Bench, Fault
from benchmarks.faults.dump import differences, dump
from benchmarks.faults.sample import clicked, reset, write_logs
from recsys.graph.server import Server
from recsys.ingest.clean import CLICKS
from recsys.ingest.clicks import load_clicks
from recsys.ingest.job import Job

RUNS = (
    (Fault("cut", 9, "lost"), Fault("driver", 12, "after")),
    (Fault("neo4j", 7, "before"), Fault("interrupt", 10, "before")),
    (Fault("worker", 8, "after"),),
    (),
    (),
)


@pytest.fixture
def bench(neo4j_server: Server, neo4j_workspace: Path, tmp_path: Path) -> Iterator[Bench]:
    """The command, small chunks, and the test server behind a proxy."""
    opened = Bench(tmp_path / "bench", neo4j_workspace, chunk_rows=10)
    yield opened
    opened.close()


@pytest.mark.timeout(900)  # it starts the command four times and Neo4j once, each slow on a busy machine
def test_five_kills_end_in_the_graph_of_none(bench: Bench, job: Job, sources: Callable, tmp_path: Path) -> None:
    """A lost answer, kill -9 of command, Neo4j and a worker, and Ctrl-C: every node and property is the same."""
    clicks = write_logs(tmp_path / "logs", 60)
    reset(bench.graph)
    load_clicks(replace(job, chunk_rows=10, session_window=1_800_000), sources(CLICKS, tmp_path / "logs"))
    expected = dump(bench.graph)
    assert clicked(bench.graph) == clicks
    reset(bench.graph)
    outcomes = []
    for faults in RUNS:
        outcomes.append(bench.run(["ingest", "clicks", str(tmp_path / "logs")], faults))
        if outcomes[-1].code == 0:
            break
    assert outcomes[-1].code == 0, outcomes[-1].err
    assert sum(len(outcome.struck) for outcome in outcomes) >= 4  # a command may end before the last one
    assert [outcome.err for outcome in outcomes if "Traceback" in outcome.err] == []
    assert differences(expected, dump(bench.graph)) == []
