import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.core.columns import ColumnMissingError
from recsys.ingest.clean import CLICKS, LINKS
from recsys.ingest.files import (
    FileUnreadableError,
    FormatUnknownError,
    NoFilesError,
    NoRowsError,
    find_files,
    format_of,
)
from recsys.ingest.place import SchemeUnknownError, local_path
from recsys.ingest.read import map_columns


def write(path: Path, text: str) -> Path:
    """Write ``text`` and make the folders above."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_files_folders_and_globs_find_each_file_once(tmp_path: Path) -> None:
    """What several paths stand for is read once, hidden files and other endings in folders are left alone."""
    a = write(tmp_path / "logs" / "a.csv", "query,item\n")
    b = write(tmp_path / "logs" / "deep" / "b.jsonl", '{"query": 1}\n')
    write(tmp_path / "logs" / "_SUCCESS", "")
    write(tmp_path / "logs" / ".a.csv", "x\n")
    write(tmp_path / "logs" / "readme.txt", "x")
    found = find_files([str(tmp_path / "logs"), str(tmp_path / "logs" / "*.csv"), str(a)])
    assert [file.path for file in found] == [a, b]
    assert found[0].columns == ("query", "item")


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("file:///logs/a%20b.csv", "/logs/a b.csv"),
        ("file:/logs/*.csv", "/logs/*.csv"),
        ("file://localhost/logs", "/logs"),
        ("logs/a%20b.csv", "logs/a%20b.csv"),
        ("file:a.csv", "file:a.csv"),
    ],
)
def test_a_file_address_is_a_path(address: str, path: str) -> None:
    """Escapes mean something in addresses alone."""
    assert local_path(address) == path


def test_an_address_of_something_else_is_refused(tmp_path: Path) -> None:
    """The message says what is read; a file:// address of a folder finds its files."""
    a = write(tmp_path / "lo gs" / "a.csv", "query,item\n")
    assert [file.path for file in find_files([a.parent.as_uri()])] == [a]
    with pytest.raises(SchemeUnknownError, match=r"s3a://bucket/logs is on .* file://"):
        find_files(["s3a://bucket/logs"])


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.csv", "csv"),
        ("a.CSV.GZ", "csv"),
        ("a.b.jsonl.zst", "json"),
        ("a.ndjson.bz2", "json"),
        ("a.parquet", "parquet"),
        ("a.parquet.gz", None),
        ("a.gz", None),
        ("csv", None),
    ],
)
def test_the_name_says_the_format(name: str, expected: str | None) -> None:
    """Endings count whatever their case."""
    assert format_of(Path(name)) == expected


def test_what_matches_nothing_is_a_usage_error(tmp_path: Path) -> None:
    """A typo in a path, an empty folder and an unknown ending are said before anything starts."""
    with pytest.raises(NoFilesError, match="matches no file"):
        find_files([str(tmp_path / "*.csv")])
    with pytest.raises(NoFilesError):
        find_files([str(tmp_path)])
    with pytest.raises(FormatUnknownError, match=r"\.csv"):
        find_files([str(write(tmp_path / "log.txt", "x"))])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.parquet", b"not parquet"),
        ("a.csv.gz", b"not gzip"),
        ("a.csv.zst", b"not zstd"),
        ("utf16.csv", "query,item\n".encode("utf-16")),
        ("a.jsonl", b"query,item\n"),
        ("twice.csv", b"query,query\n"),
        ("quote.csv", b'"query,item\n1,2\n'),
    ],
)
def test_an_unreadable_file_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    """The error is about the file, not about a parser."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileUnreadableError, match=name):
        find_files([str(tmp_path / name)])


def test_empty_files_are_left_out_unless_all_are(tmp_path: Path) -> None:
    """Exports write empty parts; a call that has nothing else has nothing to do."""
    write(tmp_path / "part-0.csv", "")
    with pytest.raises(NoRowsError, match=r"part-0\.csv"):
        find_files([str(tmp_path)])
    write(tmp_path / "part-1.csv", "query,item\n")
    assert [file.path.name for file in find_files([str(tmp_path)])] == ["part-1.csv"]


def test_compressed_text_and_parquet_show_their_columns(tmp_path: Path) -> None:
    """A BOM is no part of the first column's name."""
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"\xef\xbb\xbfquery, item \r\n"))
    pq.write_table(pa.table({"query": ["a"], "item": ["b"]}), tmp_path / "b.parquet")
    assert {file.columns for file in find_files([str(tmp_path)])} == {("query", "item")}


def test_columns_are_found_or_missed_by_file(tmp_path: Path) -> None:
    """A flag wins over usual names; a missing column names the file and the flag."""
    files = find_files([str(write(tmp_path / "a.csv", "Search_Term,SKU,when\n"))])
    assert map_columns(files, CLICKS, {})[0].columns == {"query_text": "Search_Term", "item_id": "SKU"}
    assert map_columns(files, CLICKS, {"timestamp": "when"})[0].columns["timestamp"] == "when"
    with pytest.raises(ColumnMissingError, match=r"a\.csv.*--session"):
        map_columns(files, CLICKS, {"session": "sid"})
    with pytest.raises(ColumnMissingError, match="--source"):
        map_columns(files, LINKS, {})


def test_one_name_stands_for_a_missing_relation_column(tmp_path: Path) -> None:
    """A file of pairs is a link table when its relation is given."""
    files = find_files([str(write(tmp_path / "a.csv", "source,target\n"))])
    assert map_columns(files, LINKS, {}, "brand")[0].columns["relation_name"] == "brand"
