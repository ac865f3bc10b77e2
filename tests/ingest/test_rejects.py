import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.ingest.clean import CLICKS
from recsys.ingest.clicks import load_clicks
from recsys.ingest.job import Job
from recsys.ingest.reject_batch import RejectBatchUnknownError, RejectsBrokenError, load_batch, read_lines
from recsys.ingest.rejects import list_rejects
from recsys.ingest.tasks import to_json


@given(st.one_of(st.text(), st.dictionaries(st.text(max_size=3), st.text(max_size=3)), st.binary()))
def test_a_raw_row_is_json_that_can_be_stored(value: object) -> None:
    """Whatever bytes a row had, its JSON is UTF-8 on one line, and gives back what it was."""
    raw = value.decode(errors="surrogateescape") if isinstance(value, bytes) else value
    text = to_json(raw)
    text.encode()
    assert json.loads(text) == raw
    assert "\n" not in text


def test_rejects_say_where_they_come_from(job: Job, sources: Callable, rejected: Callable, tmp_path: Path) -> None:
    """Lines count from the top of the file, blank lines and lines within quotes too; Parquet has records."""
    (tmp_path / "a.csv").write_text('query,item\n\n"two\nlines",i1\n,i2\ntoo,many,fields\ngood,i3\n')
    (tmp_path / "b.jsonl").write_text('{"query": "a", "item": "i1"}\n\nnot json\n{"query": "", "item": "i1"}\n')
    records = [{"query": "a" if n % 2 else "", "item": "i"} for n in range(5)]
    pq.write_table(pa.Table.from_pylist(records), tmp_path / "c.parquet", row_group_size=2)
    summary = load_clicks(job, sources(CLICKS, tmp_path / "a.csv", tmp_path / "b.jsonl", tmp_path / "c.parquet"))
    found = rejected(summary.rejects)
    assert [(Path(r["file"]).name, r.get("line"), r.get("record"), r["reason"]) for r in found] == [
        ("a.csv", 5, None, "empty_query_text"),
        ("a.csv", 6, None, "too_many_fields"),
        ("b.jsonl", 3, None, "not_json"),
        ("b.jsonl", 4, None, "empty_query_text"),
        ("c.parquet", None, 1, "empty_query_text"),
        ("c.parquet", None, 3, "empty_query_text"),
        ("c.parquet", None, 5, "empty_query_text"),
    ]
    assert [r["id"] for r in found] == list(range(1, 8))
    assert found[1]["row"] == "too,many,fields\n"


def test_rows_that_lie_there_are_left_as_they_are(job: Job, sources: Callable, tmp_path: Path) -> None:
    """The same rows again are the same batch, with what was mended in it; other rows are another."""
    (tmp_path / "a.csv").write_text("query,item\na,i1\n,i2\n")
    first = load_clicks(job, sources(CLICKS, tmp_path / "a.csv")).rejects
    assert first is not None
    (first / "rows.jsonl").write_text((first / "rows.jsonl").read_text().replace('""', '"mended"'))
    assert load_clicks(job, sources(CLICKS, tmp_path / "a.csv")).rejects == first
    assert next(read_lines(first))["row"]["query"] == "mended"
    (tmp_path / "a.csv").write_text("query,item\na,i1\n,i3\n")
    load_clicks(job, sources(CLICKS, tmp_path / "a.csv"))
    assert [waiting.reasons["empty_query_text"]["rows"] for waiting in list_rejects(job.workspace)] == [1, 1]


@pytest.mark.parametrize("line", ["{", "[1]", '{"id": 1}', '{"id": "x", "file": "", "reason": "", "row": ""}'])
def test_a_line_broken_while_mending_is_named(tmp_path: Path, line: str) -> None:
    """So is an id that stands there twice."""
    good = '{"id": 1, "file": "a", "reason": "b", "row": ""}\n'
    for second in (line, good):
        (tmp_path / "rows.jsonl").write_text(good + "\n" + second)
        with pytest.raises(RejectsBrokenError, match="line 3"):
            list(read_lines(tmp_path))


def test_an_unknown_batch_names_the_known(job: Job, sources: Callable, tmp_path: Path) -> None:
    """A typo costs one look."""
    (tmp_path / "a.csv").write_text("query,item\na,i1\n,i2\n")
    folder = load_clicks(job, sources(CLICKS, tmp_path / "a.csv")).rejects
    assert folder is not None
    assert load_batch(folder).kind == "clicks"
    with pytest.raises(RejectBatchUnknownError, match=folder.name):
        load_batch(folder.with_name("none"))


def test_what_is_not_utf8_waits_and_is_listed(
    job: Job, sources: Callable, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither a header nor a row in another encoding stops the rest, and the list can be printed."""
    from recsys.cli.output import print_json

    (tmp_path / "a.csv").write_bytes(b"query,item,caf\xe9\na,i1,\n,i2,\ncaf\xe9,i3,\n")
    folder = load_clicks(job, sources(CLICKS, tmp_path / "a.csv")).rejects
    assert folder is not None
    assert load_batch(folder).sources[0].header[2] == "caf\udce9"
    (waiting,) = list_rejects(job.workspace)
    assert set(waiting.reasons) == {"empty_query_text", "not_utf8"}
    print_json(waiting.reasons)
    assert json.loads(capsys.readouterr().out) == waiting.reasons
