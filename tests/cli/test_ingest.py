import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recsys.core.errors import ServiceError
from recsys.core.settings import SparkSettings
from recsys.graph.client import Graph
from recsys.graph.server import Server
from recsys.ingest.spark import spark_session

Recsys = Callable[..., Any]


@pytest.fixture
def workplace(neo4j_server: Server, graph: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory whose settings point at the test server and a small Spark."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECSYS_NEO4J__URI", neo4j_server.uri)
    monkeypatch.setenv("RECSYS_NEO4J__PASSWORD", neo4j_server.password)
    monkeypatch.setenv("RECSYS_SPARK__MASTER", "local[2]")
    monkeypatch.setenv("RECSYS_SPARK__DRIVER_MEMORY", "1g")
    (tmp_path / "clicks.csv").write_text("search_term,sku,when\nred shoes,i1,1700000000\n,i2,\n")
    return tmp_path


def test_clicks_twice(recsys: Recsys, workplace: Path) -> None:
    """The choice of columns is on stderr, the summary alone on stdout; the second run finds all in, without Spark."""
    first = recsys("ingest", "clicks", "clicks.csv", "--timestamp", "when", "--json")
    assert first.code == 0, first.err
    assert "query_text ← search_term, item_id ← sku, timestamp ← when" in first.err
    found = first.json()
    assert (found["read"], found["kept"], found["nodes_created"], found["relationships_created"]) == (2, 1, 2, 1)
    assert found["set_aside"]["empty_query_text"]["rows"] == 1
    assert json.loads((Path(found["rejects"]) / "rows.jsonl").read_text())["row"]["sku"] == "i2"
    second = recsys("ingest", "clicks", "clicks.csv", "--timestamp", "when")
    assert second.code == 0
    assert "in by their bytes" in second.err
    assert "Spark" not in second.err
    assert "1 already in" in second.out
    assert "created: 0 nodes, 0 relationships" in second.out


def test_clicks_once_more(recsys: Recsys, workplace: Path, graph: Graph) -> None:
    """Each command with the flag that was told of its end counts the rows once more; other tables have no such flag."""
    for time in (1, 2, 3):
        outcome = recsys("ingest", "clicks", "clicks.csv", "--again")
        assert outcome.code == 0, outcome.err
        assert "1 new" in outcome.out
        assert graph.read("MATCH ()-[c:CLICKED]->() RETURN c.clicks AS n")[0]["n"] == time
    assert recsys("ingest", "items", "clicks.csv", "--again").code == 2


def test_rejects_are_listed_and_come_back(recsys: Recsys, workplace: Path) -> None:
    """The list gives the reason and where; after mending, a retry brings the row in, a second one nothing."""
    assert "no rows were set aside" in recsys("ingest", "rejects").out
    recsys("ingest", "clicks", "clicks.csv", "--timestamp", "when")
    (batch,) = recsys("ingest", "rejects", "--json").json()
    assert batch["reasons"]["empty_query_text"]["example"]["line"] == 3
    assert "empty_query_text 1" in recsys("ingest", "rejects").out
    rows = Path(batch["folder"]) / "rows.jsonl"
    rows.write_text(rows.read_text().replace('"search_term": ""', '"search_term": "lamp"'))
    done = recsys("ingest", "rejects", "--retry", batch["batch"], "--json")
    assert done.code == 0, done.err
    assert (done.json()["kept"], done.json()["relationships_created"]) == (1, 1)
    assert "no row of this batch waits" in recsys("ingest", "rejects", "--retry", batch["batch"]).out
    assert "0 rows wait, 1 went in" in recsys("ingest", "rejects").out
    assert recsys("ingest", "rejects", "--retry", "none").code == 2


def test_too_many_rejects_are_the_datas_fault(recsys: Recsys, workplace: Path) -> None:
    """One bad row of two is more than a percent; a limit that is none is the user's fault."""
    outcome = recsys("ingest", "clicks", "clicks.csv", "--max-rejects", "1%")
    assert outcome.code == 1
    assert "1 of 2 rows" in outcome.err
    assert not list((workplace / ".recsys").glob("rejects"))
    assert recsys("ingest", "clicks", "clicks.csv", "--max-rejects", "few").code == 2


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["clicks", "none*.csv"], 2, "none*.csv matches no file"),
        (["clicks", "clicks.csv", "--session", "sid"], 2, "--session COLUMN"),
        (["items", "clicks.csv"], 2, "--item-title COLUMN"),
        (["links", "clicks.csv"], 2, "--source COLUMN"),
        (["clicks", "empty.csv"], 1, "empty.csv"),
        (["clicks", "broken.parquet"], 1, "broken.parquet cannot be read"),
        (["clicks", "clicks.txt"], 2, ".csv, .tsv, .jsonl"),
    ],
)
def test_wrong_input_is_said_before_anything_starts(
    recsys: Recsys,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    code: int,
    said: str,
) -> None:
    """The error names the file or column and what is allowed; 2 is the user's call, 1 the data's fault."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clicks.csv").write_text("query,item\n")
    (tmp_path / "clicks.txt").write_text("query,item\n")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "broken.parquet").write_text("no")
    outcome = recsys("ingest", *arguments)
    assert outcome.code == code
    assert said in outcome.err
    assert outcome.out == ""
    assert not (tmp_path / ".recsys").exists()


def test_relations_are_derived_from_sessions_and_clicks(recsys: Recsys, workplace: Path) -> None:
    """The window is a flag; CO_CLICKED comes from the graph, without any file."""
    (workplace / "log.csv").write_text("query,item,session,time\na,i1,s,0\nb,i2,s,600\nc,i2,s,6000\n")
    before = recsys("ingest", "relations")
    assert before.code == 1
    assert "recsys ingest clicks" in before.err
    first = recsys("ingest", "clicks", "log.csv", "--session-window", "10", "--json")
    assert first.code == 0, first.err
    assert first.json()["distinct"]["same_session"] == 2
    derived = recsys("ingest", "relations", "--json")
    assert derived.code == 0, derived.err
    assert {key: derived.json()[key] for key in ("relation", "edges", "items", "removed")} == {
        "relation": "CO_CLICKED",
        "edges": 2,
        "items": 2,
        "removed": 0,
    }
    again = recsys("ingest", "relations")
    assert "CO_CLICKED: 2 edges from 2 items, 0 removed" in again.out
    assert recsys("ingest", "clicks", "log.csv", "--session-window", "-1").code == 2


def test_a_dry_run_needs_no_graph(recsys: Recsys, workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It reads and checks everything without a Neo4j."""
    monkeypatch.setenv("RECSYS_NEO4J__URI", "bolt://127.0.0.1:1")
    outcome = recsys("ingest", "clicks", "clicks.csv", "--dry-run")
    assert outcome.code == 0
    assert "dry run: nothing was written" in outcome.out


def test_a_spark_that_does_not_start_says_so(tmp_path: Path) -> None:
    """A master that is none is an error of the service, with the setting's name."""
    from pyspark.sql import SparkSession

    if SparkSession.getActiveSession() is not None:
        pytest.skip("a Spark runs in this process already")
    with pytest.raises(ServiceError, match=r"spark\.master"), spark_session(SparkSettings(master="nonsense"), tmp_path):
        pass
