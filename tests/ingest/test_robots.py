from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from recsys.graph.client import Graph
from recsys.ingest.batches import BatchLimitError
from recsys.ingest.clean import CLICKS
from recsys.ingest.clicks import load_clicks
from recsys.ingest.job import Job

ROWS = [("a", f"i{n}", "robot", 1) for n in range(4)] + [("b", "i1", "heavy", 4), ("c", "i2", "person", 3)]
ROWS += [("d", "i3", "", 1) for _ in range(5)]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Two sessions of four clicks, one of three, and five clicks without a session."""
    path = tmp_path / "a.csv"
    path.write_text("query,item,session,count\n" + "".join(f"{q},{i},{s},{n}\n" for q, i, s, n in ROWS))
    return path


def clicks(graph: Graph) -> dict[str, int]:
    """Return query text to clicks."""
    return {
        r["q"]: r["n"] for r in graph.read("MATCH (q:Query)-[c:CLICKED]->() RETURN q.text AS q, sum(c.clicks) AS n")
    }


def test_whole_sessions_above_the_limit_are_set_aside(
    job: Job, graph: Graph, sources: Callable, rejected: Callable, log: Path
) -> None:
    """Clicks are summed by session; one at the limit stays, and clicks without a session are nobody's."""
    summary = load_clicks(replace(job, max_session_clicks=3, max_rejects="0"), sources(CLICKS, log))
    assert clicks(graph) == {"c": 3, "d": 5}
    assert summary.set_aside["robot_session"].rows == 5
    assert {row["row"]["session"] for row in rejected(summary.rejects)} == {"robot", "heavy"}


def test_another_limit_does_not_count_the_file_again(job: Job, graph: Graph, sources: Callable, log: Path) -> None:
    """Robots are part of the content, so the same file is in already."""
    load_clicks(replace(job, max_session_clicks=3), sources(CLICKS, log))
    for limit in (2, None):
        assert load_clicks(replace(job, max_session_clicks=limit), sources(CLICKS, log)).files_new == 0
    assert clicks(graph) == {"c": 3, "d": 5}


def test_a_broken_off_batch_goes_on_with_its_own_limit(
    job: Job, sources: Callable, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its chunks count on it, so another limit is refused and names the right one."""

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("recsys.ingest.job.write_chunk", die)
        with pytest.raises(KeyboardInterrupt):
            load_clicks(replace(job, max_session_clicks=3), sources(CLICKS, log))
    with pytest.raises(BatchLimitError, match="--max-session-clicks 3"):
        load_clicks(job, sources(CLICKS, log))
    assert load_clicks(replace(job, max_session_clicks=3), sources(CLICKS, log)).files_new == 1
