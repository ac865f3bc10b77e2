"""Logs as other tools write them, by flags alone; ``docs/ingest.md`` shows the same commands."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from recsys.graph.client import Graph
from recsys.graph.server import Server

FORMATS = Path(__file__).parent / "formats"
DOCS = Path(__file__).parents[2] / "docs" / "ingest.md"
T = 1_700_000_000_000

CASES = {
    "ga4.jsonl": (
        "--query-text event_params.search_term --item-id items.0.item_id --item-title items.0.item_name "
        "--session event_params.ga_session_id --timestamp event_timestamp --event select_item,purchase=3",
        {("red shoes", "i1"): (4, T + 100_000)},
        1,
    ),
    "snowplow.tsv": (
        "--columns ,,collector_tstamp,,,,domain_sessionid,,,se_action,se_label,se_property --no-quotes "
        "--query-text se_label --item-id se_property --session domain_sessionid --timestamp collector_tstamp "
        "--event-column se_action --event click",
        {('5" pipe', "i1"): (1, T + 123), ('"oak lamp" small', "i2"): (1, T + 10_000)},
        1,
    ),
    "nginx.log": (
        "--format csv --query-text q --item-id item --session sid --timestamp time_local "
        "--timestamp-format '%d/%b/%Y:%H:%M:%S %z' --event-column status --event 200",
        {("red shoes", "i1"): (1, T), ("lamp, oak", "i2"): (1, T + 2_000)},
        1,
    ),
    "recbole.inter": (
        "--format csv --delimiter tab --no-quotes --query-text user_id:token --item-id item_id:token "
        "--timestamp timestamp:float",
        {
            ("196", "242"): (1, 881_250_949_000),
            ("186", "302"): (1, 891_717_742_000),
            ("196", "302"): (1, 881_250_999_000),
        },
        0,
    ),
    "movielens.csv": (
        "--query-text userId --item-id movieId",
        {("1", "1"): (1, 964_982_703_000), ("1", "3"): (1, 964_981_247_000), ("2", "3"): (1, 1_445_714_835_000)},
        0,
    ),
    "orcas.tsv": (
        "--columns query_id,query,doc_id, --no-quotes",
        {
            ("red shoes", "D100"): (1, None),
            ("red shoes", "D200"): (1, None),
            ('"wool scarf" how to', "D300"): (1, None),
        },
        0,
    ),
}


@pytest.fixture
def place(
    spark: SparkSession, neo4j_server: Server, graph: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Graph:
    """A working directory whose settings point at the test server, with Spark running already."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECSYS_NEO4J__URI", neo4j_server.uri)
    monkeypatch.setenv("RECSYS_NEO4J__PASSWORD", neo4j_server.password)
    return graph


def clicked(graph: Graph) -> dict[tuple[str, str], tuple[int, int | None]]:
    """Return (query text, item id) to (clicks, last_at)."""
    records = graph.read(
        "MATCH (q:Query)-[c:CLICKED]->(i:Item) RETURN q.text AS q, i.id AS i, c.clicks AS n, c.last_at AS t"
    )
    return {(r["q"], r["i"]): (r["n"], r["t"]) for r in records}


def words(flags: str) -> list[str]:
    """Split flags as a shell does where only a pattern is quoted."""
    before, quote, after = flags.partition("'")
    pattern, _, rest = after.partition("'")
    return [*before.split(), pattern, *rest.split()] if quote else flags.split()


@pytest.mark.parametrize("name", CASES)
def test_a_log_of_another_tool_needs_flags_only(recsys: Callable[..., Any], place: Graph, name: str) -> None:
    """Every click of the file is in with its query, item, count and time; nothing is set aside."""
    flags, expected, skipped = CASES[name]
    outcome = recsys("ingest", "clicks", str(FORMATS / name), *words(flags), "--json")
    assert outcome.code == 0, outcome.err
    assert clicked(place) == expected
    assert outcome.json()["set_aside"] == {}
    assert outcome.json()["skipped"] == ({"other_event": skipped} if skipped else {})


@pytest.mark.parametrize("name", CASES)
def test_the_page_shows_the_command_that_is_tested(name: str) -> None:
    """What the documentation says about a format is what the test ran."""
    page = " ".join(DOCS.read_text().replace("\\\n", " ").split())
    assert f"recsys ingest clicks {name} {CASES[name][0]}" in page


def test_folders_by_date_give_the_time(recsys: Callable[..., Any], place: Graph, tmp_path: Path) -> None:
    """The value in a folder's name is a column; a day begins at midnight of the zone."""
    for day, query in (("2023-11-14", "lamp"), ("2023-11-15", "scarf")):
        folder = tmp_path / "logs" / f"dt={day}"
        folder.mkdir(parents=True)
        (folder / "part-0.csv").write_text(f"query,item\n{query},i1\n")
    outcome = recsys("ingest", "clicks", "logs", "--timestamp", "dt", "--timezone", "Europe/Berlin")
    assert outcome.code == 0, outcome.err
    day = 86_400_000
    assert clicked(place) == {("lamp", "i1"): (1, 1_699_916_400_000), ("scarf", "i1"): (1, 1_699_916_400_000 + day)}


def test_nested_fields_of_lines_lie_beside_usual_names(
    recsys: Callable[..., Any], place: Graph, tmp_path: Path
) -> None:
    """A dotted path reaches into an object, the usual names are found at top level, what is not there is set aside."""
    rows = [{"event": {"params": {"search_term": "lamp"}}, "item_id": "i1"}, {"event": {"params": []}, "item_id": "i2"}]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    outcome = recsys("ingest", "clicks", "a.jsonl", "--query-text", "event.params.search_term", "--json")
    assert clicked(place) == {("lamp", "i1"): (1, None)}
    assert outcome.json()["set_aside"]["empty_query_text"]["rows"] == 1


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--delimiter", "::"], r"\t or \x01"),
        (["--columns", "a,a"], "twice: a"),
        (["--event", "click=0"], "--event click,purchase=3"),
        (["--event", "click"], "--event-column COLUMN"),
        (["--event-column", "kind"], "needs --event"),
        (["--timestamp-format", "yyyy-MM-dd"], "%Y-%m-%d"),
        (["--timezone", "Berlin"], "Europe/Berlin"),
        (["--query-text", "query.text"], "--query-text COLUMN"),
    ],
)
def test_flags_that_make_no_sense_are_said_before_anything_starts(
    recsys: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: list[str], said: str
) -> None:
    """The error names the value and what is allowed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text("query,item\nlamp,i1\n")
    outcome = recsys("ingest", "clicks", "a.csv", *flags)
    assert outcome.code == 2
    assert said in outcome.err
