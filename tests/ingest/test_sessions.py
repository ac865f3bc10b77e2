from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from hashlib import md5
from pathlib import Path
from typing import Any

import neo4j
import pandas as pd
import pytest
from pyspark.sql import SparkSession

from recsys.graph.client import Graph
from recsys.graph.ledger import Chunk, write_chunk
from recsys.graph.relations import Relation, list_relations
from recsys.ingest.clean import CLICKS
from recsys.ingest.clicks import load_clicks
from recsys.ingest.job import Job
from recsys.ingest.sessions import session_pairs

WIKISPEEDIA = Path(__file__).parents[2] / ".." / "shared" / "data" / "wikispeedia"
HALF_AN_HOUR = 30 * 60_000
LOG = """query_id,query,item,session,time
a,red,i1,s1,2024-05-01T10:00:00Z
b,blue,i2,s1,2024-05-01T10:10:00Z
a,red,i3,s1,2024-05-01T10:15:00Z
c,oak,i1,s1,2024-05-01T10:35:00Z
d,tin,i1,s1,2024-05-01T11:05:01Z
a,red,i1,s2,
b,blue,i2,s2,
e,mug,i1,,2024-05-01T10:00:00Z
a,red,i2,,2024-05-01T10:00:00Z
"""
# s1: a 10:00, b 10:10, c 10:35, d 11:05:01. a–b and b–c lie within half an hour; a–c (35 min) and c–d do not. s2: a–b.
EXPECTED = {("a", "b"): 2, ("b", "a"): 2, ("b", "c"): 1, ("c", "b"): 1}


def in_sessions(graph: Graph) -> dict[tuple[str, str], int]:
    """Return (query id, query id) to sessions."""
    records = graph.read("MATCH (a:Query)-[r:SAME_SESSION]->(b:Query) RETURN a.id AS a, b.id AS b, r.sessions AS n")
    assert len({(r["a"], r["b"]) for r in records}) == len(records)
    return {(r["a"], r["b"]): r["n"] for r in records}


def counted(spark: SparkSession, rows: list[tuple[str, str | None, int | None]], **limits: int) -> dict[Any, int]:
    """Return the pairs of clicks given as (query, session, ms), with a window of half an hour."""
    clicks = spark.createDataFrame(rows, "query_id string, session string, timestamp long")
    return {(r.source, r.target): r.sessions for r in session_pairs(clicks, HALF_AN_HOUR, **limits).collect()}


def by_pandas(clicks: pd.DataFrame, window: int, reach: int) -> Counter[tuple[str, str]]:
    """Count anew, session by session: times are seconds as text, often empty."""
    times = pd.to_numeric(clicks["timestamp"], errors="coerce")
    first = clicks.assign(at=times).groupby(["session_id", "query_id"])["at"].min().reset_index()
    first["tie"] = [md5(f"{s}\n{q}".encode()).hexdigest() for s, q in zip(first.session_id, first.query_id)]  # noqa: B905, S324
    first = first.sort_values(["session_id", "at", "tie"], na_position="last")
    pairs: Counter[tuple[str, str]] = Counter()
    for _, session in first.groupby("session_id"):
        asked = list(zip(session.query_id, session["at"]))  # noqa: B905
        for n, (one, at) in enumerate(asked):
            for other, later in asked[n + 1 : n + 1 + reach]:
                if pd.isna(at) or pd.isna(later) or later - at <= window:
                    pairs[one, other] += 1
                    pairs[other, one] += 1
    return pairs


@pytest.fixture
def session_job(job: Job) -> Job:
    """An ingest that joins the queries of half an hour."""
    return replace(job, session_window=HALF_AN_HOUR)


def test_queries_of_a_session_are_joined_within_the_window(
    session_job: Job, graph: Graph, sources: Callable, tmp_path: Path
) -> None:
    """Hand-counted: both directions, by first click, one count per session; no session joins nothing."""
    (tmp_path / "a.csv").write_text(LOG)
    summary = load_clicks(session_job, sources(CLICKS, tmp_path / "a.csv"))
    assert in_sessions(graph) == EXPECTED
    assert summary.distinct["same_session"] == 4
    assert list_relations(graph) == [Relation("SAME_SESSION", "Query", "Query", "derived")]


def test_a_later_log_adds_its_sessions(session_job: Job, graph: Graph, sources: Callable, tmp_path: Path) -> None:
    """A session that goes on in another batch is counted within each; the same rows again add nothing."""
    (tmp_path / "a.csv").write_text(LOG)
    (tmp_path / "b.csv").write_text("query_id,query,item,session\na,red,i1,s1\nb,blue,i1,s1\nd,tin,i1,s1\n")
    for path in ("a.csv", "b.csv", "b.csv", "a.csv"):
        load_clicks(session_job, sources(CLICKS, tmp_path / path))
    added = Counter(("ab", "ba", "ad", "da", "bd", "db"))
    assert in_sessions(graph) == {(a, b): EXPECTED.get((a, b), 0) + n for (a, b), n in added.items()} | {
        ("b", "c"): 1,
        ("c", "b"): 1,
    }


@pytest.mark.parametrize("log", [LOG.replace(",session,", ",visitor,"), LOG])
def test_nothing_is_joined_without_sessions_or_window(
    job: Job, graph: Graph, sources: Callable, tmp_path: Path, log: str
) -> None:
    """A log without the column, and a window of 0, leave the relation out of the registry."""
    (tmp_path / "a.csv").write_text(log)
    window = HALF_AN_HOUR if log != LOG else 0
    load_clicks(replace(job, session_window=window), sources(CLICKS, tmp_path / "a.csv"))
    assert in_sessions(graph) == {}
    assert list_relations(graph) == []


def test_broken_off_after_any_chunk_it_counts_each_session_once(
    session_job: Job, graph: Graph, sources: Callable, dump: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after every chunk, started again with another chunk size, window and order of rows: the same graph."""
    path = tmp_path / "a.csv"
    path.write_text(LOG)
    load_clicks(session_job, sources(CLICKS, path))
    expected = dump()
    graph.write("MATCH (n) WHERE NOT n:RowCounter DETACH DELETE n")
    graph.write("MATCH (c:RowCounter) SET c.next = 0, c.adopted = 0")
    header, *rows = LOG.splitlines(keepends=True)
    path.write_text(header + "".join(reversed(rows)))

    def die_after_one(graph: Graph, statement: str, chunk: Chunk) -> neo4j.SummaryCounters | None:
        counts = write_chunk(graph, statement, chunk)
        if counts is not None:
            raise KeyboardInterrupt
        return counts

    monkeypatch.setattr("recsys.ingest.job.write_chunk", die_after_one)
    attempts = 0
    for chunk_rows, window in ((3, HALF_AN_HOUR), (2, 0), (1, 1), (9, 60_000), *((5, 0),) * 9):
        attempts += 1
        try:
            load_clicks(replace(session_job, chunk_rows=chunk_rows, session_window=window), sources(CLICKS, path))
            break
        except KeyboardInterrupt:
            continue
    assert attempts == 9  # 2 + 1 + 3 + 2 chunks of three, then one that finds all in
    assert dump() == expected


def test_a_long_session_stays_linear(spark: SparkSession) -> None:
    """Each of a thousand queries pairs with those within reach on either side, and with no other."""
    times = {f"q{n}": n for n in range(1_000)}
    pairs = counted(spark, [(query, "robot", at) for query, at in times.items()], reach=5)
    assert pairs == {
        (a, b): 1 for a, at in times.items() for b in (f"q{at + d}" for d in range(-5, 6) if d) if b in times
    }


def test_a_hub_keeps_its_most_frequent_targets(spark: SparkSession) -> None:
    """Beyond the degree cap the edges with most sessions stay, then the smaller id; edges to the hub all stay."""
    sessions = [("hub", "x"), ("hub", "x"), ("hub", "w"), ("hub", "z"), ("hub", "z"), ("hub", "y")]
    rows = [(query, f"s{n}", None) for n, pair in enumerate(sessions) for query in pair]
    pairs = counted(spark, rows, max_degree=3)
    assert {b: n for (a, b), n in pairs.items() if a == "hub"} == {"x": 2, "z": 2, "w": 1}
    assert {a: n for (a, b), n in pairs.items() if b == "hub"} == {"x": 2, "z": 2, "w": 1, "y": 1}


def test_counts_of_a_real_log_equal_those_of_pandas(
    session_job: Job, graph: Graph, sources: Callable, tmp_path: Path
) -> None:
    """The first 8,000 clicks of wikispeedia, most of them without a time, computed independently."""
    if not WIKISPEEDIA.is_dir():
        pytest.skip(f"{WIKISPEEDIA} is not there")
    clicks = pd.read_parquet(WIKISPEEDIA / "clicks.train.parquet").head(8_000)
    clicks.to_parquet(tmp_path / "clicks.parquet")
    load_clicks(replace(session_job, chunk_rows=20_000), sources(CLICKS, tmp_path / "clicks.parquet"))
    assert in_sessions(graph) == by_pandas(clicks, window=1_800, reach=5)
