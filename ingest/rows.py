"""The rows of one part of a file, as mappings from column to value; what is no row comes with its reason."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from recsys.ingest.delimited import Records, is_unicode, open_text
from recsys.ingest.files import InputFile

PAGE_ROWS = 10_000

Row = tuple[dict[str, Any] | None, str | None, str]
"""(column to value, None, "") for a row; (None, reason code, its text) for what is none."""


def read_rows(file: InputFile, part: int) -> Iterator[Row]:
    """Yield the rows of ``part`` of ``file``, in order.

    Reasons are ``too_few_fields``, ``too_many_fields``, ``broken_quotes``, ``not_json`` and ``not_utf8``.

    Raises:
        OSError, EOFError, zlib.error, pyarrow.ArrowException: The file cannot be read on.
    """
    if file.format == "parquet":
        return _parquet_rows(file, part)
    return _csv_rows(file) if file.format == "csv" else _json_rows(file)


def _csv_rows(file: InputFile) -> Iterator[Row]:
    with open_text(file.path) as text:
        records = Records(text)
        header = records.header()
        width = len(header)
        for fields, raw in records.rows():
            if not is_unicode(raw):
                yield None, "not_utf8", raw
            elif fields is None:
                yield None, "broken_quotes", raw
            elif len(fields) != width:
                yield None, "too_few_fields" if len(fields) < width else "too_many_fields", raw
            else:
                yield dict(zip(header, fields, strict=True)), None, ""


def _json_rows(file: InputFile) -> Iterator[Row]:
    with open_text(file.path) as text:
        for line in text:
            if not line.strip():
                continue
            if not is_unicode(line):
                yield None, "not_utf8", line
                continue
            try:
                value = json.loads(line)
            except (ValueError, RecursionError):
                value = None
            if isinstance(value, dict):
                yield value, None, ""
            else:
                yield None, "not_json", line


def _parquet_rows(file: InputFile, part: int) -> Iterator[Row]:
    if file.parts == 0:
        return
    with pq.ParquetFile(file.path) as table:
        for page in table.iter_batches(batch_size=PAGE_ROWS, row_groups=[part]):
            try:
                rows = page.to_pylist()
            except UnicodeDecodeError:
                yield from (_decoded(row) for row in _as_bytes(page).to_pylist())
            else:
                yield from ((row, None, "") for row in rows)


def _as_bytes(page: pa.RecordBatch) -> pa.RecordBatch:
    columns = [
        column.cast(pa.large_binary())
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
        else column
        for column in page.columns
    ]
    return pa.RecordBatch.from_arrays(columns, names=page.schema.names)


def _decoded(row: dict[str, Any]) -> Row:
    try:
        return {k: v.decode() if isinstance(v, bytes) else v for k, v in row.items()}, None, ""
    except UnicodeDecodeError:
        shown = {k: v.decode(errors="surrogateescape") if isinstance(v, bytes) else v for k, v in row.items()}
        return None, "not_utf8", json.dumps(shown, ensure_ascii=False, default=str)
