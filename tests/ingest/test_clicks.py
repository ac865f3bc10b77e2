import bz2
import csv
import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import neo4j
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.core.text import query_id
from recsys.graph.client import Graph
from recsys.graph.ledger import Chunk, write_chunk
from recsys.ingest.batches import BatchUnfinishedError
from recsys.ingest.clean import CLICKS
from recsys.ingest.clicks import load_clicks
from recsys.ingest.files import FileUnreadableError, NoRowsError
from recsys.ingest.job import Job

HEADER = ("query_text", "item_id", "item_title", "timestamp", "count")
ROWS = [
    ("red shoes", "i1", "Red shoe", "1700000000", "2"),
    ("Red  Shoes", "i1", "", "1700000100", "1"),
    ("red shoes", "i2", "Shoe, red", "", "1"),
    ("lamp", "i3", "", "1700000000", "1"),
    ("lamp", "i4", "", "2023-11-14T22:13:21Z", "5"),
    ("oak table", "i5", "Table", "", "1"),
    ("wool scarf", "i1", "Red shoe", "", "3"),
    ("lamp", "i3", "", "1700000000", "1"),
]
EVIL = 'x"}) DETACH DELETE (n) //'


def write_csv(path: Path, rows: list[tuple[str, ...]] = ROWS) -> Path:
    """Write rows under HEADER."""
    with path.open("w", newline="") as out:
        csv.writer(out).writerows([HEADER, *rows])
    return path


def clicked(graph: Graph) -> dict[tuple[str, str], tuple[int, int | None]]:
    """Return (query text, item id) to (clicks, last_at)."""
    records = graph.read(
        "MATCH (q:Query)-[c:CLICKED]->(i:Item) RETURN q.text AS q, i.id AS i, c.clicks AS n, c.last_at AS t"
    )
    return {(r["q"], r["i"]): (r["n"], r["t"]) for r in records}


def test_clicks_are_summed_per_pair(job: Job, graph: Graph, sources: Callable, tmp_path: Path) -> None:
    """Texts that differ in case and blanks are one query; counts add up, the latest time stays."""
    summary = load_clicks(job, sources(CLICKS, write_csv(tmp_path / "a.csv")))
    assert clicked(graph) == {
        ("red shoes", "i1"): (3, 1_700_000_100_000),
        ("red shoes", "i2"): (1, None),
        ("lamp", "i3"): (2, 1_700_000_000_000),
        ("lamp", "i4"): (5, 1_700_000_001_000),
        ("oak table", "i5"): (1, None),
        ("wool scarf", "i1"): (3, None),
    }
    assert summary.distinct == {"queries": 4, "items": 5, "pairs": 6}
    assert summary.created == {"nodes_created": 9, "relationships_created": 6}
    ids = graph.read("MATCH (q:Query) RETURN collect(q.id) AS ids")[0]["ids"]
    assert set(ids) == {query_id(text) for text in ("red shoes", "lamp", "oak table", "wool scarf")}


def test_the_same_rows_are_in_once_whatever_their_file(
    job: Job, sources: Callable, dump: Callable, tmp_path: Path
) -> None:
    """Another order, name, format or compression of the same rows changes nothing, in one call and in a later one."""
    first = write_csv(tmp_path / "a.csv")
    load_clicks(job, sources(CLICKS, first))
    before = dump()
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(first.read_bytes()))
    (tmp_path / "c.csv.bz2").write_bytes(bz2.compress(b"\xef\xbb\xbf" + first.read_bytes().replace(b"\n", b"\r\n")))
    records = [dict(zip(HEADER, row, strict=True)) for row in reversed(ROWS)]
    (tmp_path / "d.jsonl").write_text("".join(json.dumps({**r, "count": int(r["count"])}) + "\n" for r in records))
    pq.write_table(pa.Table.from_pylist(records), tmp_path / "e.parquet", row_group_size=3)
    with pa.CompressedOutputStream(str(tmp_path / "f.jsonl.zst"), "zstd") as out:
        out.write((tmp_path / "d.jsonl").read_bytes())
    summary = load_clicks(job, sources(CLICKS, tmp_path))
    assert summary.kept == 6 * len(ROWS)
    assert (summary.files_new, summary.files_in_already, summary.files_repeated) == (0, 6, 5)
    assert summary.created.total() == 0
    assert dump() == before


def test_new_files_add_to_what_is_in(job: Job, graph: Graph, sources: Callable, tmp_path: Path) -> None:
    """A second log with the same pair adds its clicks, keeps the later time and gives a missing title."""
    one = write_csv(tmp_path / "a.csv", [("lamp", "i3", "", "1700000000", "2")])
    two = write_csv(tmp_path / "b.csv", [("lamp", "i3", "Lamp", "1600000000", "1"), ("lamp", "i9", "", "", "1")])
    load_clicks(job, sources(CLICKS, one))
    summary = load_clicks(job, sources(CLICKS, one, two))
    assert (summary.files_new, summary.files_in_already) == (1, 1)
    assert clicked(graph) == {("lamp", "i3"): (3, 1_700_000_000_000), ("lamp", "i9"): (1, None)}
    assert graph.read("MATCH (i:Item {id: 'i3'}) RETURN i.text AS text")[0]["text"] == "Lamp"


def test_a_query_keeps_its_most_clicked_text(job: Job, graph: Graph, sources: Callable, tmp_path: Path) -> None:
    """Under one id the text with most clicks wins, the smallest among equals."""
    path = tmp_path / "a.csv"
    path.write_text("qid,query,item,count\n1,b,i,2\n1,a,i,1\n1,c,i,2\n2,z,i,1\n")
    load_clicks(job, sources(CLICKS, path))
    assert clicked(graph) == {("b", "i"): (5, None), ("z", "i"): (1, None)}


def test_an_ingest_broken_off_after_any_chunk_ends_the_same(
    job: Job, graph: Graph, sources: Callable, dump: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after every single chunk and started again with another chunk size, it counts each click once."""
    path = write_csv(tmp_path / "a.csv")
    load_clicks(job, sources(CLICKS, path))
    expected = dump()
    graph.write("MATCH (n) WHERE NOT n:RowCounter DETACH DELETE n")
    graph.write("MATCH (c:RowCounter) SET c.next = 0, c.adopted = 0")

    def die_after_one(graph: Graph, statement: str, chunk: Chunk) -> neo4j.SummaryCounters | None:
        counts = write_chunk(graph, statement, chunk)
        if counts is not None:
            raise KeyboardInterrupt
        return counts

    monkeypatch.setattr("recsys.ingest.job.write_chunk", die_after_one)
    attempts = 0
    for chunk_rows in (3, 2, 1, 100, 3, 2, 4, 5, 6):
        attempts += 1
        try:
            load_clicks(replace(job, chunk_rows=chunk_rows), sources(CLICKS, path))
            break
        except KeyboardInterrupt:
            continue
    assert attempts == 7  # 2 + 2 + 2 chunks of three, then one that finds all in
    assert dump() == expected


def test_files_of_a_broken_off_batch_come_first(
    job: Job, sources: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call that has only some of them is refused and says which are missing."""
    one, two = write_csv(tmp_path / "a.csv", ROWS[:3]), write_csv(tmp_path / "b.csv", ROWS[3:])

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("recsys.ingest.job.write_chunk", die)
        with pytest.raises(KeyboardInterrupt):
            load_clicks(job, sources(CLICKS, one, two))
    with pytest.raises(BatchUnfinishedError, match=r"b\.csv"):
        load_clicks(job, sources(CLICKS, one))
    assert load_clicks(job, sources(CLICKS, one, two)).files_new == 2


def test_a_nasty_file_loses_no_good_row(
    job: Job, graph: Graph, sources: Callable, rejected: Callable, tmp_path: Path
) -> None:
    """Each bad row is set aside with its reason, each good one is in, and nothing is executed."""
    lines = [
        b"\xef\xbb\xbfQuery,item_id,title\r\n",
        b"plain,i1,One\r\n",
        b'"with, comma and ""quotes""",i2,\r\n',
        b'"line\nbreak",i3,\r\n',
        "emoji 👟,i4,Schuh für Läufer\r\n".encode(),
        f'"{EVIL.replace(chr(34), chr(34) * 2)}","{EVIL.replace(chr(34), chr(34) * 2)}",`$x\r\n'.encode(),
        b"too few,i5\r\n",
        b"too,many,fields,here\r\n",
        b",i6,No query\r\n",
        b"  ,i6,Blank query\r\n",
        b"no item,,\r\n",
        b"caf\xe9,i7,\r\n",
        b"nul\x00byte,i8,\r\n",
        b'"' + b"x" * 1_000_000 + b'",i9,\r\n',
        b'"never closed,i10,\r\n',
        b"after it,i11,\r\n",
        b"\r\n",
        b"last without a line end,i12,",
    ]
    path = tmp_path / "nasty.csv"
    path.write_bytes(b"".join(lines))
    summary = load_clicks(job, sources(CLICKS, path))
    assert set(clicked(graph)) == {
        ("plain", "i1"),
        ('with, comma and "quotes"', "i2"),
        ("line\nbreak", "i3"),
        ("emoji 👟", "i4"),
        (EVIL, EVIL),
        ("after it", "i11"),
        ("last without a line end", "i12"),
    }
    assert {reason: refused.rows for reason, refused in summary.set_aside.items()} == {
        "broken_quotes": 1,
        "empty_item_id": 1,
        "empty_query_text": 2,
        "not_utf8": 1,
        "nul_byte": 1,
        "query_text_too_long": 1,
        "too_few_fields": 1,
        "too_many_fields": 1,
    }
    assert summary.read == summary.kept + 9
    aside = rejected(summary.rejects)
    assert [row["reason"] for row in aside][:2] == ["too_few_fields", "too_many_fields"]
    assert {row["file"] for row in aside} == {str(path)}
    assert next(row["row"] for row in aside if row["reason"] == "not_utf8") == "caf\udce9,i7,\r\n"
    assert len(next(row["row"]["Query"] for row in aside if row["reason"] == "query_text_too_long")) == 1_000_000


def test_nasty_lines_and_pages_of_other_formats(job: Job, graph: Graph, sources: Callable, tmp_path: Path) -> None:
    """What is no JSON object, and text in Parquet that is not UTF-8, goes aside too."""
    (tmp_path / "a.jsonl").write_bytes(
        b'{"query": "a", "item": 1, "count": 1}\nnot json\n[1]\n{"query": "\\ud800", "item": 2}\n{"item": 3}\n'
        b'{"query": "caf\xe9", "item": 4}\n{"query": ["b"], "item": 5}\n\n{"query": "c", "item": 6, "count": 0}\n'
    )
    raw = pa.array([b"caf\xe9", b"good"], pa.binary())
    text = pa.Array.from_buffers(pa.string(), 2, raw.buffers())
    pq.write_table(pa.table({"query": text, "item": ["7", "8"]}), tmp_path / "b.parquet")
    summary = load_clicks(job, sources(CLICKS, tmp_path / "a.jsonl", tmp_path / "b.parquet"))
    assert set(clicked(graph)) == {("a", "1"), ("good", "8")}
    assert {reason: refused.rows for reason, refused in summary.set_aside.items()} == {
        "bad_count": 1,
        "empty_query_text": 1,
        "not_json": 2,
        "not_utf8": 3,
        "query_text_not_text": 1,
    }


def test_a_dry_run_writes_nothing(job: Job, graph: Graph, sources: Callable, dump: Callable, tmp_path: Path) -> None:
    """It counts what there is and leaves graph and workspace alone."""
    summary = load_clicks(
        replace(job, graph=None), sources(CLICKS, write_csv(tmp_path / "a.csv", [*ROWS, ("", "i", "", "", "1")]))
    )
    assert summary.distinct == {"queries": 4, "items": 5, "pairs": 6}
    assert summary.set_aside["empty_query_text"].rows == 1
    assert dump() == {"Query": [], "Item": [], "Anchor": [], "edges": [], "relations": []}
    assert not job.workspace.exists()


def test_a_log_without_a_good_row_is_an_error(job: Job, sources: Callable, tmp_path: Path) -> None:
    """An empty log says so, and one that is all bad says why."""
    with pytest.raises(NoRowsError, match="no rows"):
        load_clicks(job, sources(CLICKS, write_csv(tmp_path / "a.csv", [])))
    with pytest.raises(NoRowsError, match="bad_count 1, empty_item_id 1"):
        load_clicks(
            job, sources(CLICKS, write_csv(tmp_path / "b.csv", [("a", "", "", "", "1"), ("a", "b", "", "", "x")]))
        )


def test_a_file_that_breaks_off_writes_nothing(job: Job, sources: Callable, dump: Callable, tmp_path: Path) -> None:
    """Half of a compressed file is named, and no row of the call is in."""
    good = write_csv(tmp_path / "a.csv")
    rows = [(f"query {n * 7919 % 100_003}", f"i{n}", "", "", "1") for n in range(20_000)]
    whole = gzip.compress(write_csv(tmp_path / "whole.csv", rows).read_bytes())
    (tmp_path / "half.csv.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FileUnreadableError, match=r"half\.csv\.gz"):
        load_clicks(job, sources(CLICKS, good, tmp_path / "half.csv.gz"))
    assert dump()["Query"] == []
