"""When items were first and last clicked: the least and the greatest time of their clicks, whatever happens."""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.core.times import rfc3339
from recsys.graph import write
from recsys.graph.client import Graph
from recsys.graph.ledger import Chunk, write_chunk
from recsys.ingest.clean import CLICKS, ITEMS
from recsys.ingest.clicks import load_clicks
from recsys.ingest.items import load_items
from recsys.ingest.job import Job
from recsys.ingest.retry import Mended, retry_rejects
from recsys.ingest.rules import Rules

Seen = dict[str, tuple[int | None, int | None]]
Row = tuple[str, str, int | None, bool]
"Item, title, milliseconds if known, and whether the row is good."

times = st.one_of(st.none(), st.integers(0, 3), st.integers(0, 10_000))
rows = st.tuples(st.sampled_from("abc"), st.sampled_from(["", "T", "U"]), times, st.booleans())


def seen(graph: Graph) -> Seen:
    """Return item id to first_seen and last_seen."""
    records = graph.read("MATCH (i:Item) RETURN i.id AS id, i.first_seen AS first, i.last_seen AS last")
    return {record["id"]: (record["first"], record["last"]) for record in records}


def ends(found: Iterable[tuple[str, int | None]]) -> Seen:
    """Return item to the least and the greatest of its times, in plain Python."""
    expected: dict[str, list[int]] = {}
    for item, at in found:
        expected.setdefault(item, []).extend([] if at is None else [at])
    return {item: (min(at, default=None), max(at, default=None)) for item, at in expected.items()}


def write_log(path: Path, log: Sequence[Row]) -> Path:
    """Write rows as a click log; each run of a test has texts of its own, so that no two files are the same."""
    lines = [
        {
            "query": f"q{uuid.uuid4().hex}",
            "item": item,
            "title": title,
            "time": None if at is None else rfc3339(at),
            "count": 1 if good else "none",
        }
        for item, title, at, good in log
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(rows, st.integers(0, 2), st.integers(0, 1)), min_size=1, max_size=25))
def test_any_split_into_files_and_calls_gives_the_ends(
    job: Job, graph: Graph, sources: Callable, tmp_path: Path, log: list[tuple[Row, int, int]]
) -> None:
    """However rows lie in files and files in calls, it is the ends of the good ones."""
    graph.write("MATCH (n) WHERE NOT n:RowCounter DETACH DELETE n")
    graph.write("MATCH (c:RowCounter) SET c.next = 0, c.adopted = 0")
    log = [(("a", "", 5, True), 0, 0), (("a", "", None, True), 0, 1), *log]
    folder = tmp_path / uuid.uuid4().hex
    folder.mkdir()
    paths: dict[int, list[Path]] = {}
    for (call, file), found in itertools.groupby(sorted(log, key=lambda r: (r[2], r[1])), lambda r: (r[2], r[1])):
        paths.setdefault(call, []).append(write_log(folder / f"{call}{file}.jsonl", [row for row, _, _ in found]))
    for call in sorted(paths):
        load_clicks(job, sources(CLICKS, *paths[call]))
    assert seen(graph) == ends((item, at) for (item, _, at, good), _, _ in log if good)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.dictionaries(st.sampled_from("abc"), st.tuples(times, times), min_size=1), min_size=1, max_size=4
    ).flatmap(lambda chunks: st.tuples(st.just(chunks), st.lists(st.sampled_from(range(len(chunks))), max_size=8)))
)
def test_chunks_in_any_order_and_repeated_give_the_ends(
    graph: Graph, plan: tuple[list[dict[str, tuple[int | None, int | None]]], list[int]]
) -> None:
    """A chunk written once more, by the ledger or past it, changes nothing."""
    graph.write("MATCH (n:Item|Chunk) DETACH DELETE n")
    chunks, order = plan
    for number in (*order, *range(len(chunks)), *order):
        found = {item: sorted(pair, key=lambda at: (at is None, at)) for item, pair in chunks[number].items()}
        first, last = ([pair[0] for pair in found.values()], [pair[1] or pair[0] for pair in found.values()])
        nodes = {"ids": list(found), "texts": [None] * len(found), "first_seen": first, "last_seen": last}
        write_chunk(graph, write.ITEMS, Chunk(f"{number}", nodes))
        graph.write(write.ITEMS, **nodes)
    assert seen(graph) == ends((item, at) for chunk in chunks for item, pair in chunk.items() for at in pair)


def test_the_log_wins_over_the_item_table(job: Job, graph: Graph, sources: Callable, tmp_path: Path) -> None:
    """Columns of these names get an underscore behind them, as those that nodes use; before and after clicks."""
    (tmp_path / "clicks.csv").write_text("query,item,time\nlamp,1,1700000000\n")
    (tmp_path / "items.csv").write_text("item_id,title,first_seen,last_seen\n1,One,2001-01-01,2\n2,Two,2002-02-02,\n")
    for _ in range(2):
        load_items(job, sources(ITEMS, tmp_path / "items.csv"))
        load_clicks(job, sources(CLICKS, tmp_path / "clicks.csv"))
    load_clicks(replace(job, again=True), sources(CLICKS, tmp_path / "clicks.csv"))
    load_items(job, sources(ITEMS, tmp_path / "items.csv"))
    assert seen(graph) == {"1": (1_700_000_000_000, 1_700_000_000_000), "2": (None, None)}
    records = graph.read("MATCH (i:Item) RETURN i.first_seen_ AS first, i.last_seen_ AS last ORDER BY i.id")
    assert [tuple(record.values()) for record in records] == [("2001-01-01", "2"), ("2002-02-02", None)]


def test_a_row_that_was_set_aside_counts_once_it_is_in(
    job: Job, graph: Graph, sources: Callable, tmp_path: Path
) -> None:
    """A time that could not be read moves the ends when the retry reads it."""
    (tmp_path / "a.csv").write_text("query,item,time\nlamp,1,2023-11-14\nlamp,1,13.11.2023\nlamp,1,16.11.2023\n")
    folder = load_clicks(job, sources(CLICKS, tmp_path / "a.csv")).rejects
    assert seen(graph) == {"1": (1_699_920_000_000, 1_699_920_000_000)}
    assert folder is not None
    retry_rejects(job, folder, Mended(rules=Rules(timestamp_format="%d.%m.%Y")))
    assert seen(graph) == {"1": (1_699_833_600_000, 1_700_092_800_000)}
