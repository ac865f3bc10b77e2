"""Addresses are tried on ViewFs, which Spark brings and no code here knows: another tree, mounted from this disk."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from recsys.core.errors import RecsysError
from recsys.ingest.files import FileUnreadableError, FormatUnknownError, InputFile, NoFilesError, find_files
from recsys.ingest.hadoop import Hadoop
from recsys.ingest.hadoop_errors import FileSystemFailedError, FileSystemMissingError
from recsys.ingest.layout import Layout
from recsys.ingest.place import SchemeUnknownError


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder of logs, some in folders by date, some not to be read."""
    for folder in ("dt=2024-01-01/eu", "dt=2024-01-02", "_temporary", ".git", "[a] b%20c"):
        (tmp_path / folder).mkdir(parents=True)
    csv = "query,item\nlamp,1\n"
    for name in ("a.csv", "_b.csv", ".c.csv", "note.md", "_temporary/d.csv", ".git/e.csv", "[a] b%20c/f*.csv"):
        (tmp_path / name).write_text(csv)
    (tmp_path / "empty.csv").touch()
    (tmp_path / "dt=2024-01-01" / "eu" / "part-0.tsv.gz").write_bytes(gzip.compress(b"query\titem\nlamp\t1\n"))
    (tmp_path / "dt=2024-01-02" / "part-0.jsonl").write_text('{"query": "lamp"}\n' * 40_000 + '{"item": "1"}\n')
    rows = pa.table({"query": ["lamp"] * 5, "item": ["1"] * 5})
    pq.write_table(rows, tmp_path / "dt=2024-01-02" / "part-1.parquet", row_group_size=2)
    return tmp_path


def seen(files: list[InputFile], root: str) -> list[tuple[object, ...]]:
    """Return what was found out about ``files``, with their names below ``root``."""
    return [
        (file.name.removeprefix(root), file.format, file.columns, file.parts, file.layout, dict(file.partitions))
        for file in files
    ]


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/dt=2024-01-02",
        "/*.csv",
        "/dt=*",
        "/dt=2024-01-0[13]",
        "/dt=*/*",
        "/**/part-?.*",
        "/dt=*/**",
        "/[a] b%20c",
    ],
)
def test_an_address_stands_for_what_the_path_would(
    tree: Path, mounted: Callable[[Path], str], spark: SparkSession, path: str
) -> None:
    """Folders to any depth, globs, folders by date: the same files, formats, columns and parts."""
    address = mounted(tree)
    (tree / "_b.csv").unlink()  # a glob of paths would take it
    remote = find_files([address + path], hadoop=Hadoop(spark))
    assert seen(remote, address) == seen(find_files([f"{tree}{path}"]), str(tree))
    assert all(file.address for file in remote)


def test_files_are_found_once_beside_those_of_this_machine(
    tree: Path, mounted: Callable[[Path], str], spark: SparkSession
) -> None:
    """Layouts count for both."""
    address, layout = mounted(tree), Layout(columns=("query", "item"))
    paths = [f"{address}/a.csv", f"{address}/*.csv", str(tree / "a.csv"), f"{address}/[a] b%20c/f*.csv"]
    files = find_files(paths, layout, Hadoop(spark))
    assert [file.name for file in files] == [f"{address}/[a] b%20c/f*.csv", f"{address}/a.csv", str(tree / "a.csv")]
    assert {file.layout for file in files} == {layout}


@pytest.mark.parametrize(
    ("address", "error", "says"),
    [
        ("{mounted}/none.csv", NoFilesError, "none.csv matches no file"),
        ("{mounted}/*.json", NoFilesError, "matches no file"),
        ("{mounted}/_b.csv", NoFilesError, "matches no file"),
        ("{mounted}/note.md", FormatUnknownError, "note.md"),
        ("{mounted}/broken.csv.gz", FileUnreadableError, "viewfs://.*/broken.csv.gz cannot be read"),
        ("viewfs://unmounted/data/a.csv", FileSystemFailedError, "viewfs://unmounted/data/a.csv cannot be looked up"),
        ("s3a://bucket/logs", FileSystemMissingError, r"org\.apache\.hadoop:hadoop-aws:3\."),
        ("nosuch://bucket/logs", FileSystemMissingError, "does not know nosuch://"),
        ("http://127.0.0.1/a.csv", SchemeUnknownError, "copy"),
        ("hdfs://127.0.0.1:1/logs", FileSystemFailedError, "check host and port"),
    ],
)
def test_what_cannot_be_looked_up_is_told(
    tree: Path, mounted: Callable[[Path], str], spark: SparkSession, address: str, error: type[RecsysError], says: str
) -> None:
    """Nothing there, no code for it, nobody who answers: each with the address and what to do."""
    spark.conf.set("ipc.client.connect.max.retries", "0")
    (tree / "broken.csv.gz").write_bytes(b"no gzip at all")
    with pytest.raises(error, match=says):
        find_files([address.format(mounted=mounted(tree))], hadoop=Hadoop(spark))
