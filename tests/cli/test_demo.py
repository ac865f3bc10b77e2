"""``recsys demo``: the whole way on an invented shop."""

from __future__ import annotations

from pathlib import Path

import pytest

from recsys.core.run import list_runs
from recsys.graph.server import stop


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory; its demo's Neo4j is stopped at the end."""
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    stop(tmp_path / "recsys-demo" / ".recsys")


def test_the_demo_goes_from_a_click_log_to_recommendations(here: Path, recsys):
    """Each step says its command and leaves its result: a graph, a run, an alias, figures and recommendations."""
    done = recsys("demo", "--clicks", "2000", "--epochs", "1")
    assert done.code == 0, done.err
    said = [line for line in done.err.splitlines() if line.startswith("$ recsys ")]
    steps = ["sample", "ingest items", "ingest clicks", "ingest links", "train", "publish", "evaluate", "recommend"]
    assert [line.removeprefix("$ recsys ")[: len(step)] for line, step in zip(said, steps, strict=True)] == steps
    assert len(list_runs(here / "recsys-demo" / ".recsys" / "runs")) == 1
    assert "switched the alias recsys" in done.out
    assert "bm25_queries" in done.out
    assert done.out.count("rank  score") == 3


def test_the_demo_keeps_away_from_a_shared_graph(here: Path, recsys, monkeypatch: pytest.MonkeyPatch):
    """With neo4j.uri set the demo refuses, for it would mix an invented shop into that graph."""
    monkeypatch.setenv("RECSYS_NEO4J__URI", "bolt://graph.example.org:7687")
    refused = recsys("demo")
    assert refused.code == 2
    assert "neo4j.uri is bolt://graph.example.org:7687" in refused.err
    assert "recsys config show" in refused.err
