"""Spark reads and cleans files: every row of every file, good or refused, as one table on disk.

Rows are read by tasks in Python, one task per text file or Parquet row group, because a CSV parser that is sure about
broken rows matters more here than the last factor of speed; Spark spreads, sorts and aggregates what they yield.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa
from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as f

from recsys.core.columns import find_columns
from recsys.ingest.clean import RELATION_NAME, Kind
from recsys.ingest.files import FileUnreadableError, InputFile
from recsys.ingest.remote import copies, pieces
from recsys.ingest.robots import ROBOT_SESSION
from recsys.ingest.tasks import EXAMPLE, UNREADABLE, cleaned, schema_of, unreadable

_Part = tuple[int, int]
_Read = Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]


@dataclass(frozen=True)
class Source:
    """A file and where our columns are in it.

    Attributes:
        file: What to read.
        columns: Our column to the file's.
        nested: Those of the file's columns that are dotted paths to values within values.
        salt: Told apart from the same rows in another place; empty for files, whose place does not matter.
    """

    file: InputFile
    columns: Mapping[str, str]
    nested: tuple[str, ...] = ()
    salt: str = ""


@dataclass(frozen=True)
class FileContent:
    """What one file turned out to hold.

    Attributes:
        path: The file, or its address.
        kept: Good rows.
        refused: Reason code to (rows, one of them).
        skipped: Reason code to rows that are fine but not asked for.
        hash: Of the good rows, whatever their order, the file's name and format; the same rows are the same content.
    """

    path: str
    kept: int
    refused: Mapping[str, tuple[int, str]]
    hash: str
    skipped: Mapping[str, int] = field(default_factory=dict)


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
    sources = []
    for file in files:
        own = (*file.columns, *(name for name in file.partitions if name not in file.columns))
        nested = _nested(file, own, named.values())
        found = find_columns((*own, *nested), required=needed, optional=kind.optional, named=named, where=file.name)
        sources.append(Source(file, fixed | found, nested))
    return sources


def _nested(file: InputFile, own: Sequence[str], named: Iterable[str | None]) -> tuple[str, ...]:
    dotted = (name for name in named if name and "." in name and name not in own and file.format != "csv")
    return tuple(name for name in dotted if any(name.startswith(f"{column}.") for column in own))


def read_table(spark: SparkSession, sources: Sequence[Source], kind: Kind, *, keep_raw: bool = False) -> DataFrame:
    """Return the cleaned rows of all files, persisted on disk once they are computed.

    Returns:
        ``file`` (index into ``sources``), ``position`` (grows with file and row), ``number`` (line or row in the file,
        from 1), ``reason`` of a row that is refused or passed over, ``raw`` (JSON text) of one that is refused and,
        with ``keep_raw``, of a good one, else null, and the fields of ``kind``, null where there is a reason. Unpersist
        when done.
    """
    units = [(index, part) for index, source in enumerate(sources) for part in range(max(source.file.parts, 1))]
    here = {unit: place for unit, place in enumerate(units) if not sources[place[0]].file.address}
    remote = {sources[index].file.address: (index, unit - part) for unit, (index, part) in enumerate(units)}
    remote.pop("", None)
    ddl = ", ".join(f"{name} {type_}" for name, type_ in schema_of(kind).items())
    tables = []
    if here:
        numbers = spark.range(0, len(here), 1, min(len(here), 4_096))
        tables.append(numbers.mapInArrow(_read_here(sources, kind, list(here.items()), keep_raw), ddl))
    if remote:
        bytes_ = pieces(spark, [sources[index].file for index, _ in remote.values()])
        tables.append(bytes_.mapInArrow(_read_copies(sources, kind, remote, keep_raw), ddl))
    return functools.reduce(DataFrame.union, tables).persist(StorageLevel.DISK_ONLY)


def _read_here(sources: Sequence[Source], kind: Kind, units: Sequence[tuple[int, _Part]], keep_raw: bool) -> _Read:
    """Return what reads parts of files of this machine, given their indices in ``units``."""

    def read(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for number in batch.column(0).to_pylist():
                unit, (index, part) = units[number]
                yield from cleaned(sources[index], kind, part, index, unit, keep_raw=keep_raw)

    return read


def _read_copies(sources: Sequence[Source], kind: Kind, remote: Mapping[str, _Part], keep_raw: bool) -> _Read:
    """Return what reads remote files, given their bytes; ``remote`` is address to index and first unit."""

    def read(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for address, copy, whole in copies(batches):
            index, unit = remote[address]
            if not whole:
                yield unreadable(kind, "it changed while it was read", index, unit)
                return
            source = replace(sources[index], file=replace(sources[index].file, path=copy))
            for part in range(source.file.parts):
                yield from cleaned(source, kind, part, index, unit + part, keep_raw=keep_raw)

    return read


def contents(rows: DataFrame, sources: Sequence[Source], kind: Kind) -> list[FileContent]:
    """Count and hash what each file holds, in the order of ``sources``.

    Raises:
        FileUnreadableError: A file broke off while it was read.
    """
    first, second = (_row_hash(kind, seed) for seed in (1, 2))
    groups = rows.groupBy("file", "reason").agg(
        f.count("*").alias("rows"),
        f.min(f.substring("raw", 1, EXAMPLE)).alias("example"),
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
    path = source.file.name
    if UNREADABLE in reasons:
        raise FileUnreadableError(path, json.loads(reasons[UNREADABLE]["example"]))
    kept, robots = reasons.pop(None, None), reasons.get(ROBOT_SESSION)
    skipped = {str(r): group["rows"] for r, group in reasons.items() if group["example"] is None}
    refused = {str(r): (g["rows"], g["example"]) for r, g in sorted(reasons.items(), key=str) if r not in skipped}
    if kept is None:
        return FileContent(path, 0, refused, "", skipped)
    # Robots are part of the content: the same file with another limit for sessions is in already.
    sums = (int(kept[name]) + (int(robots[name]) if robots else 0) for name in ("rows", "first", "second"))
    content = ":".join([kind.name + source.salt, *map(str, sums)])
    return FileContent(path, kept["rows"], refused, content, skipped)


def _row_hash(kind: Kind, seed: int) -> Column:
    # Nulls are skipped by xxhash64, so that a value could slide into the next column; NUL is in no cleaned value.
    fields = [f.coalesce(f.col(name).cast("string"), f.lit("\0")) for name in kind.fields]
    return f.xxhash64(f.lit(seed), *fields).cast("decimal(20,0)")
