"""Part of real logs and link tables against pandas; ``python -m benchmarks.real`` takes all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.real.found import CLICKED, CO_CLICKED, SAME_SESSION, differences, edges, expected_co_clicked
from benchmarks.real.links import link_edges
from benchmarks.real.sessions import same_session
from recsys.graph.check import check_graph
from recsys.graph.client import Graph
from recsys.ingest.clean import CLICKS, LINKS
from recsys.ingest.clicks import load_clicks
from recsys.ingest.job import Job
from recsys.ingest.links import load_links
from recsys.ingest.relations import derive_co_clicked

DATA = Path(__file__).parents[2].parent / "shared" / "data"
MINUTES = 30


@pytest.fixture
def large_job(job: Job) -> Job:
    """An ingest in large chunks, with sessions."""
    return replace(job, chunk_rows=20_000, session_window=MINUTES * 60_000)


def data(name: str, file: str) -> Path:
    """Return the path of optional data, or skip the test."""
    path = DATA / name / file
    if not path.exists():
        pytest.skip(f"{name} is not there")
    return path


def test_sessions_and_items_of_a_real_log(large_job: Job, graph: Graph, sources: Callable) -> None:
    """Every edge of CLICKED, SAME_SESSION and CO_CLICKED, with its count or cosine, is what pandas makes of the log."""
    log = data("wikispeedia", "clicks.val.parquet")
    clicks = pd.read_parquet(log)
    clicks["timestamp"] = pd.to_numeric(clicks["timestamp"])
    summary = load_clicks(large_job, sources(CLICKS, log))
    derive_co_clicked(graph, 20_000, lambda line: None)
    assert summary.kept == len(clicks)
    pairs = clicks.groupby(["query_id", "item_id"]).size().rename_axis(["source", "target"])
    assert differences(edges(graph, CLICKED, "clicks"), pairs) == []
    found = edges(graph, SAME_SESSION, "sessions")
    assert len(found) > 100_000
    assert differences(found, same_session(clicks, MINUTES)) == []
    assert differences(edges(graph, CO_CLICKED, "weight"), expected_co_clicked(graph)) == []
    assert [finding.name for finding in check_graph(graph) if not finding.ok] == []


def test_relations_of_a_real_link_table(large_job: Job, graph: Graph, sources: Callable, tmp_path: Path) -> None:
    """Each relation has the edges that pandas counts, from queries, items and, where it is neither, anchors."""
    log, table = data("mssee", "clicks.val.parquet"), pd.read_parquet(data("mssee", "links.parquet"))
    clicks, some = pd.read_parquet(log), table[::40]
    some.to_parquet(tmp_path / "links.parquet")
    load_clicks(large_job, sources(CLICKS, log))
    load_links(large_job, sources(LINKS, tmp_path / "links.parquet"))
    records = graph.read(
        "MATCH (n)-[r]->(:Anchor) RETURN type(r) AS relation, labels(n)[0] AS label, count(r) AS edges"
    )
    found = pd.Series({(r["relation"], r["label"]): r["edges"] for r in records}).sort_index()
    assert differences(found, link_edges(some, set(clicks["query_id"]), set(clicks["item_id"]))) == []
    assert set(found.index.get_level_values(0)) == set(table["relation"])
    assert [finding.name for finding in check_graph(graph) if not finding.ok] == []
