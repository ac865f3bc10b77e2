"""Held-out logs and filters are read by the rules of ingest."""

from __future__ import annotations

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.core.columns import ColumnMissingError
from recsys.core.text import query_id
from recsys.ingest.files import FileUnreadableError, NoFilesError
from recsys.ingest.held_out import FilterColumnsError, NothingHeldOutError, read_filter, read_held_out

COLUMNS = {"qid": ["q1", "", "q3"], "query": ["Red Shoe", "lamp", ""], "item": ["007", "i2", "i3"]}


def write(path):
    """Write COLUMNS in the format of the name."""
    rows = [dict(zip(COLUMNS, values, strict=True)) for values in zip(*COLUMNS.values(), strict=True)]
    if path.suffix == ".parquet":
        pq.write_table(pa.table(COLUMNS), path)
    elif ".jsonl" in path.name:
        text = "".join(json.dumps(row) + "\n" for row in rows)
        path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    else:
        path.write_text("\ufeff" + "\r\n".join([",".join(COLUMNS), *(",".join(row.values()) for row in rows)]))
    return str(path)


@pytest.mark.parametrize("name", ["log.csv", "log.jsonl", "log.jsonl.gz", "log.parquet"])
def test_all_formats_give_the_same_rows(tmp_path, name):
    """Ids keep their zeros, a missing id comes from the text, and a row without text is counted by its reason."""
    rows = read_held_out(write(tmp_path / name), {})
    assert rows.kept == [("q1", "Red Shoe", "007"), (query_id("lamp"), "lamp", "i2")]
    assert rows.refused == {"empty_query_text": 1}
    assert rows.columns == [{"query_text": "query", "item_id": "item", "query_id": "qid"}]


def test_flags_name_columns(tmp_path):
    """A column under an unusual name is found by its flag, and a wrong flag is said."""
    path = tmp_path / "log.csv"
    path.write_text("asked,got\nlamp,i2\n")
    assert read_held_out(str(path), {"query_text": "asked", "item_id": "got"}).kept[0][1:] == ("lamp", "i2")
    with pytest.raises(ColumnMissingError, match="--query-text"):
        read_held_out(str(path), {"query_text": "nope", "item_id": "got"})


def test_times_that_ingest_would_refuse_do_not_matter(tmp_path):
    """Only query and item are read of a held-out row."""
    path = tmp_path / "log.csv"
    path.write_text("query,item,timestamp,count\nlamp,i2,yesterday,many\n")
    assert len(read_held_out(str(path), {}).kept) == 1


def test_a_log_without_a_usable_row_is_an_error(tmp_path):
    """The reasons are in the message."""
    path = tmp_path / "log.csv"
    path.write_text("query,item\n,i1\n")
    with pytest.raises(NothingHeldOutError, match="1 empty_query_text"):
        read_held_out(str(path), {})


def test_missing_and_broken_files_are_named(tmp_path):
    """No file, and a file that is not what its name says."""
    (tmp_path / "log.jsonl.gz").write_bytes(b"\x1f\x8bnot really")
    with pytest.raises(NoFilesError):
        read_held_out(str(tmp_path / "none.csv"), {})
    with pytest.raises(FileUnreadableError, match=r"log\.jsonl\.gz"):
        read_held_out(str(tmp_path / "log.jsonl.gz"), {})


def test_a_filter_is_pairs(tmp_path):
    """Numbers become ids as in ingest; half a pair is left out; no rows at all is fine."""
    path = tmp_path / "filter.parquet"
    pq.write_table(pa.table({"query_id": [1, 2], "item_id": ["a", None]}), path)
    assert read_filter(str(path)).kept == [("1", "a")]
    empty = tmp_path / "filter.csv"
    empty.write_text("query_id,item_id\n")
    assert read_filter(str(empty)).kept == []


def test_a_filter_without_its_columns_says_which(tmp_path):
    """The message names both columns and what is there instead."""
    path = tmp_path / "filter.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(FilterColumnsError, match=r"query_id \(or qid\) and item_id .*present: a, b"):
        read_filter(str(path))
