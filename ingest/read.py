"""Spark reads and cleans files: every row of every file, good or refused, as one table on disk.

Rows are read by tasks in Python, one task per text file or Parquet row group, because a CSV parser that is sure about
broken rows matters more here than the last factor of speed; Spark spreads, sorts and aggregates what they yield.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as f

from recsys.core.columns import find_columns
from recsys.ingest.clean import RELATION_NAME, Kind
from recsys.ingest.files import READ_ERRORS, FileUnreadableError, InputFile
from recsys.ingest.rows import PAGE_ROWS, read_rows
from recsys.ingest.values import RejectError

UNREADABLE = "unreadable"
_LEAD = {"file": "int", "position": "long", "reason": "string", "raw": "string"}
_ARROW = {"int": pa.int32(), "long": pa.int64(), "string": pa.string()}
_UNIT_BITS = 36
_EXAMPLE = 300


@dataclass(frozen=True)
class Source:
    """A file and where our columns are in it."""

    file: InputFile
    columns: Mapping[str, str]


@dataclass(frozen=True)
class FileContent:
    """What one file turned out to hold.

    Attributes:
        path: The file.
        kept: Good rows.
        refused: Reason code to (rows, one of them).
        hash: Of the good rows, whatever their order, the file's name and format; the same rows are the same content.
    """

    path: Path
    kept: int
    refused: Mapping[str, tuple[int, str]]
    hash: str


def map_columns(
    files: Sequence[InputFile], kind: Kind, named: Mapping[str, str | None], relation: str | None = None
) -> list[Source]:
    """Find the columns of ``kind`` in each file.

    Args:
        files: What will be read.
        kind: Whose columns.
        named: Our column to the file's, as given by flags.
        relation: Relation of all rows of a link table that has no such column.

    Raises:
        ColumnMissingError: A required or named column is not there.
    """
    fixed = {RELATION_NAME: relation} if relation is not None else {}
    needed = [name for name in kind.required if not (relation is not None and name == "relation")]
    return [
        Source(
            file,
            fixed
            | find_columns(file.columns, required=needed, optional=kind.optional, named=named, where=str(file.path)),
        )
        for file in files
    ]


def read_table(spark: SparkSession, sources: Sequence[Source], kind: Kind) -> DataFrame:
    """Return the cleaned rows of all files, persisted on disk once they are computed.

    Returns:
        ``file`` (index into ``sources``), ``position`` (grows with file and row), ``reason`` and ``raw`` (JSON text)
        of a refused row, else null, and the fields of ``kind``, null where refused. Unpersist when done.
    """
    units = [(index, part) for index, source in enumerate(sources) for part in range(max(source.file.parts, 1))]
    schema = _LEAD | dict(kind.fields)
    arrow = pa.schema([(name, _ARROW[type_]) for name, type_ in schema.items()])

    def read(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for unit in batch.column(0).to_pylist():
                index, part = units[unit]
                yield from _batches(_cleaned(sources[index], kind, part), index, unit, arrow)

    ddl = ", ".join(f"{name} {type_}" for name, type_ in schema.items())
    numbers = spark.range(0, len(units), 1, min(len(units), 4_096))
    return numbers.mapInArrow(read, ddl).persist(StorageLevel.DISK_ONLY)


def contents(rows: DataFrame, sources: Sequence[Source], kind: Kind) -> list[FileContent]:
    """Count and hash what each file holds, in the order of ``sources``.

    Raises:
        FileUnreadableError: A file broke off while it was read.
    """
    first, second = (_row_hash(kind, seed) for seed in (1, 2))
    groups = rows.groupBy("file", "reason").agg(
        f.count("*").alias("rows"),
        f.min(f.substring("raw", 1, _EXAMPLE)).alias("example"),
        f.sum(first).alias("first"),
        f.sum(second).alias("second"),
    )
    found: list[dict[str | None, Any]] = [{} for _ in sources]
    for group in groups.collect():
        found[group["file"]][group["reason"]] = group
    return [_content(source, kind, reasons) for source, reasons in zip(sources, found, strict=True)]


def good(rows: DataFrame, files: Sequence[int]) -> DataFrame:
    """Return the good rows of the files with these indices."""
    return rows.where(f.col("reason").isNull() & f.col("file").isin(list(files)))


def _content(source: Source, kind: Kind, reasons: dict[str | None, Any]) -> FileContent:
    path = source.file.path
    if UNREADABLE in reasons:
        raise FileUnreadableError(path, json.loads(reasons[UNREADABLE]["example"]))
    kept = reasons.pop(None, None)
    refused = {str(r): (group["rows"], group["example"]) for r, group in sorted(reasons.items(), key=str)}
    if kept is None:
        return FileContent(path, 0, refused, "")
    return FileContent(path, kept["rows"], refused, f"{kind.name}:{kept['rows']}:{kept['first']}:{kept['second']}")


def _row_hash(kind: Kind, seed: int) -> Column:
    # Nulls are skipped by xxhash64, so that a value could slide into the next column; NUL is in no cleaned value.
    fields = [f.coalesce(f.col(name).cast("string"), f.lit("\0")) for name in kind.fields]
    return f.xxhash64(f.lit(seed), *fields).cast("decimal(20,0)")


def _cleaned(source: Source, kind: Kind, part: int) -> Iterator[tuple[Any, ...]]:
    nothing = (None,) * len(kind.fields)
    columns, clean = dict(source.columns), kind.clean
    try:
        for row, reason, raw in read_rows(source.file, part):
            if row is None:
                yield (reason, _json(raw), *nothing)
                continue
            try:
                yield (None, None, *clean(row, columns))
            except RejectError as error:
                yield (str(error), _json(row), *nothing)
    except READ_ERRORS as error:
        yield (UNREADABLE, _json(" ".join(str(error).split())[: _EXAMPLE // 2]), *nothing)


def _batches(rows: Iterator[tuple[Any, ...]], index: int, unit: int, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    start = unit << _UNIT_BITS
    page: list[tuple[Any, ...]] = []
    for row in rows:
        page.append(row)
        if len(page) == PAGE_ROWS:
            yield _batch(page, index, start, schema)
            start += len(page)
            page = []
    if page:
        yield _batch(page, index, start, schema)


def _batch(page: list[tuple[Any, ...]], index: int, start: int, schema: pa.Schema) -> pa.RecordBatch:
    lead = [[index] * len(page), range(start, start + len(page))]
    columns = [*lead, *zip(*page, strict=True)]
    return pa.RecordBatch.from_arrays(
        [pa.array(column, type=field.type) for column, field in zip(columns, schema, strict=True)], schema=schema
    )


def _json(value: Any) -> str:
    # A byte that is not UTF-8 is shown as the escape of its surrogate, so that nothing of the row is lost.
    return json.dumps(value, ensure_ascii=not _is_plain(value), default=str)


def _is_plain(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        return False
    return True
