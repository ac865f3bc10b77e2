"""The rows of one part of a file, as mappings from column to value; what is no row comes with its reason."""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from recsys.ingest.delimited import is_unicode, open_text
from recsys.ingest.files import InputFile

PAGE_ROWS = 10_000

Row = tuple[dict[str, Any] | None, str | None, str, int]
"""(column to value, None, "", number) for a row; (None, reason code, its text, number) for what is none.

The number is the line that it begins on, in Parquet the row, both from 1; of a reject it is the id.
"""


def read_rows(file: InputFile, part: int) -> Iterator[Row]:
    """Yield the rows of ``part`` of ``file``, in order.

    Reasons are ``too_few_fields``, ``too_many_fields``, ``broken_quotes``, ``not_json`` and ``not_utf8``.

    Raises:
        OSError, EOFError, zlib.error, pyarrow.ArrowException: The file cannot be read on.
    """
    readers = {"parquet": _parquet_rows, "csv": _csv_rows, "json": _json_rows, "rejects": _reject_rows}
    rows, inside = readers[file.format](file, part), dict(file.partitions)
    if not inside:
        yield from rows
        return
    for row, reason, raw, number in rows:
        yield (row if row is None else inside | row), reason, raw, number


def read_record(file: InputFile, text: str) -> tuple[dict[str, Any] | None, str | None]:
    """Read the text of one row by the layout of ``file``; (None, reason code) where it is none."""
    if file.layout.format == "json":
        return _object(text)
    records = file.records(io.StringIO(text, newline=""))
    return next((_record(fields, raw, file.layout.columns) for fields, raw in records.rows()), (None, "too_few_fields"))


def _csv_rows(file: InputFile, part: int) -> Iterator[Row]:
    with open_text(file.path) as text:
        records = file.records(text)
        header = file.layout.columns or records.header()
        for fields, raw in records.rows():
            row, reason = _record(fields, raw, header)
            yield row, reason, "" if reason is None else raw, records.line


def _record(fields: list[str] | None, raw: str, header: Sequence[str]) -> tuple[dict[str, Any] | None, str | None]:
    if not is_unicode(raw):
        return None, "not_utf8"
    if fields is None:
        return None, "broken_quotes"
    if len(fields) != len(header):
        return None, "too_few_fields" if len(fields) < len(header) else "too_many_fields"
    return dict(zip(header, fields, strict=True)), None


def _json_rows(file: InputFile, part: int) -> Iterator[Row]:
    with open_text(file.path) as text:
        for number, line in enumerate(text, start=1):
            if line.strip():
                row, reason = _object(line)
                yield row, reason, "" if reason is None else line, number


def _reject_rows(file: InputFile, part: int) -> Iterator[Row]:
    with file.path.open(encoding="utf-8") as lines:
        for line in lines:
            reject = json.loads(line)
            raw = reject["row"]
            row, reason = (raw, None) if isinstance(raw, dict) else read_record(file, str(raw))
            yield row, reason, "" if reason is None else raw, reject["id"]


def _object(line: str) -> tuple[dict[str, Any] | None, str | None]:
    if not is_unicode(line):
        return None, "not_utf8"
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None, "not_json"
    return (value, None) if isinstance(value, dict) else (None, "not_json")


def _parquet_rows(file: InputFile, part: int) -> Iterator[Row]:
    if file.parts == 0:
        return
    with pq.ParquetFile(file.path) as table:
        number = 1 + sum(table.metadata.row_group(before).num_rows for before in range(part))
        for page in table.iter_batches(batch_size=PAGE_ROWS, row_groups=[part]):
            rows: list[tuple[dict[str, Any] | None, str | None, str]]
            try:
                rows = [(row, None, "") for row in _mappings(page)]
            except UnicodeDecodeError:
                rows = [_decoded(row) for row in _as_bytes(page).to_pylist()]
            yield from ((*row, at) for at, row in enumerate(rows, start=number))
            number += len(rows)


def _mappings(page: pa.RecordBatch) -> Iterator[dict[str, Any]]:
    names, columns = page.schema.names, [_values(column) for column in page.columns]
    return (dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True))


def _values(column: pa.Array) -> list[Any]:
    """Return the values of ``column`` as ``to_pylist`` does, which takes ten times as long over times."""
    kind = column.type
    if not pa.types.is_timestamp(kind) or kind.unit == "ns" or kind.tz not in (None, "UTC"):
        return list(column.to_pylist())
    try:
        moments = column.cast(pa.timestamp("us", kind.tz)).to_numpy(zero_copy_only=False).tolist()
    except pa.ArrowInvalid:  # too far away for microseconds
        return list(column.to_pylist())
    if any(isinstance(moment, int) for moment in moments):  # a year that datetime does not have
        return list(column.to_pylist())
    return [moment and moment.replace(tzinfo=dt.UTC) for moment in moments] if kind.tz else list(moments)


def _as_bytes(page: pa.RecordBatch) -> pa.RecordBatch:
    columns = [
        column.cast(pa.large_binary())
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
        else column
        for column in page.columns
    ]
    return pa.RecordBatch.from_arrays(columns, names=page.schema.names)


def _decoded(row: dict[str, Any]) -> tuple[dict[str, Any] | None, str | None, str]:
    try:
        return {k: v.decode() if isinstance(v, bytes) else v for k, v in row.items()}, None, ""
    except UnicodeDecodeError:
        shown = {k: v.decode(errors="surrogateescape") if isinstance(v, bytes) else v for k, v in row.items()}
        return None, "not_utf8", json.dumps(shown, ensure_ascii=False, default=str)
