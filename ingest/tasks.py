"""What one Spark task does: the rows of one part of a file, cleaned or with the reason, as Arrow."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from recsys.ingest.clean import Kind
from recsys.ingest.files import READ_ERRORS
from recsys.ingest.nested import with_nested
from recsys.ingest.rows import PAGE_ROWS, read_rows
from recsys.ingest.values import RejectError, SkipError

if TYPE_CHECKING:
    from recsys.ingest.read import Source

UNREADABLE: Final = "unreadable"
"Reason of the row that stands for a file that broke off."
EXAMPLE: Final = 300
"Characters of the example of a reason."

_LEAD = {"file": "int", "position": "long", "number": "long", "reason": "string", "raw": "string"}
_ARROW = {"int": pa.int32(), "long": pa.int64(), "string": pa.string()}
_UNIT_BITS = 36


def schema_of(kind: Kind) -> dict[str, str]:
    """Return column to Spark type of what :func:`cleaned` yields."""
    return _LEAD | dict(kind.fields)


def cleaned(
    source: Source, kind: Kind, part: int, index: int, unit: int, *, keep_raw: bool
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of one part of a file; ``index`` is its file, ``unit`` the part among those of all files."""
    schema = pa.schema([(name, _ARROW[type_]) for name, type_ in schema_of(kind).items()])
    start = unit << _UNIT_BITS
    page: list[tuple[Any, ...]] = []
    for row in _rows(source, kind, part, keep_raw):
        page.append(row)
        if len(page) == PAGE_ROWS:
            yield _batch(page, index, start, schema)
            start += len(page)
            page = []
    if page:
        yield _batch(page, index, start, schema)


def unreadable(kind: Kind, why: object, index: int, unit: int) -> pa.RecordBatch:
    """Return the row that stands for a file that broke off."""
    schema = pa.schema([(name, _ARROW[type_]) for name, type_ in schema_of(kind).items()])
    return _batch([_broken(kind, why)], index, unit << _UNIT_BITS, schema)


def _broken(kind: Kind, why: object) -> tuple[Any, ...]:
    nothing = (None,) * len(kind.fields)
    return (0, UNREADABLE, to_json(" ".join(str(why).split())[: EXAMPLE // 2]), *nothing)


def _rows(source: Source, kind: Kind, part: int, keep_raw: bool) -> Iterator[tuple[Any, ...]]:
    nothing = (None,) * len(kind.fields)
    columns, clean, nested = dict(source.columns), kind.clean, source.nested
    try:
        for row, reason, raw, number in read_rows(source.file, part):
            if row is None:
                yield (number, reason, to_json(raw), *nothing)
                continue
            try:
                fields = clean(with_nested(row, nested) if nested else row, columns)
                yield (number, None, to_json(row) if keep_raw else None, *fields)
            except SkipError as error:
                yield (number, str(error), None, *nothing)
            except RejectError as error:
                yield (number, str(error), to_json(row), *nothing)
    except READ_ERRORS as error:
        yield _broken(kind, error)


def _batch(page: list[tuple[Any, ...]], index: int, start: int, schema: pa.Schema) -> pa.RecordBatch:
    lead = [[index] * len(page), range(start, start + len(page))]
    columns = [*lead, *zip(*page, strict=True)]
    return pa.RecordBatch.from_arrays(
        [pa.array(column, type=field.type) for column, field in zip(columns, schema, strict=True)], schema=schema
    )


def to_json(value: Any) -> str:
    """Return ``value`` as readable JSON; a byte that was not UTF-8 is the escape of its surrogate, so none is lost."""
    return json.dumps(value, ensure_ascii=not _is_plain(value), default=str)


def _is_plain(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        return False
    return True
