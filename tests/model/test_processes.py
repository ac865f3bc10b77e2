"""Processes that train together."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from recsys.core.settings import TrainSettings
from recsys.graph.client import Graph
from recsys.graph.server import Server
from recsys.model.processes import from_first, is_first, this_process

SCRIPT = """
import json, sys
from pathlib import Path
from recsys.core.settings import TrainSettings
from recsys.graph.client import Graph
from recsys.model import arguments
from recsys.model.processes import this_process
from recsys.model.stream import NeighbourStream
from recsys.model.train import train

folder, uri, user, password, settings = sys.argv[1:]
asked, ask = [], NeighbourStream.batch

def batch(stream, rows):
    asked.append(list(rows))
    if len(asked) == int(Path(folder, "stop").read_text()):
        raise KeyboardInterrupt
    return ask(stream, rows)

NeighbourStream.batch = batch
arguments.CHECKPOINT_STEPS = 3
try:
    with Graph(uri, user, password) as graph:
        run = train(graph, TrainSettings.model_validate_json(settings), Path(folder, "runs"))
    print(run.name)
finally:
    Path(folder, f"asked-{this_process()[0]}.json").write_text(json.dumps(asked))
"""


def test_a_process_alone_is_the_first():
    """It makes what all get."""
    assert this_process() == (0, 1)
    assert is_first()
    assert from_first(lambda: {"made": 1}) == {"made": 1}


@pytest.fixture
def launch(small: Graph, neo4j_server: Server, settings: TrainSettings, tmp_path: Path):
    """Return what trains in two processes and returns exit code, output, and the rows each asked for."""
    (tmp_path / "script.py").write_text(SCRIPT)
    server = (neo4j_server.uri, neo4j_server.user, neo4j_server.password)

    def run(stop: int, **changes: object) -> tuple[int, str, list[list[list[int]]]]:
        (tmp_path / "stop").write_text(str(stop))
        chosen = settings.model_copy(update=changes).model_dump_json()
        torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
        command = [*torchrun, str(tmp_path / "script.py"), str(tmp_path), *server, chosen]
        done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
        asked = [json.loads((tmp_path / f"asked-{rank}.json").read_text()) for rank in range(2)]
        return done.returncode, done.stdout + done.stderr, asked

    return run


def test_two_processes_share_each_epoch(launch, tmp_path: Path):
    """Over a stop inside an epoch, each query is trained on once per epoch, in equally many steps; one run is written.

    The first launch stops in its ninth step of twelve, three after a checkpoint; the second goes on from there.
    """
    changes = {"hard_negatives_every": 2, "batch_size": 6, "select": False}
    code, output, before = launch(stop=9, **changes)
    assert code != 0, output
    code, output, after = launch(stop=-1, **changes)
    assert code == 0, output
    assert [len(some) for some in after] == [6, 6]
    asked = [old[:6] + new for old, new in zip(before, after, strict=True)]
    everything = {row for some in asked for batch in some for row in batch}
    for epoch in range(3):
        rows = [row for some in asked for batch in some[4 * epoch :][:4] for row in batch]
        assert sorted(rows) == sorted(everything)
    (run,) = [path for path in (tmp_path / "runs").iterdir() if not path.name.startswith(".")]
    assert output.count(run.name) == 2
    assert not list((tmp_path / "runs").glob(".*.partial"))
