"""Reads a held-out click log and a filter of pairs by the rules of ``recsys ingest``, without Spark and the graph."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recsys.core import columns as c
from recsys.core.errors import DataError, UsageError
from recsys.ingest.clean import CLICKS, Clean, Kind
from recsys.ingest.files import READ_ERRORS, FileUnreadableError, find_files
from recsys.ingest.read import Source, map_columns
from recsys.ingest.rows import read_rows
from recsys.ingest.values import RejectError, required

Named = Mapping[str, str | None]


class NothingHeldOutError(DataError):
    """A click log has no row that can be used."""

    def __init__(self, path: str, refused: Mapping[str, int]) -> None:
        self.path = path
        self.refused = dict(refused)
        reasons = ", ".join(f"{rows:,} {reason}" for reason, rows in refused.items()) or "it has no rows"
        super().__init__(f"{path} has no click that can be used ({reasons}); give a log with queries and clicked items")


class FilterColumnsError(UsageError):
    """A filter lacks one of its two columns, for which there are no flags."""

    def __init__(self, path: str, present: Sequence[str]) -> None:
        self.path = path
        self.present = tuple(present)
        names = " and ".join(f"{name} (or {', '.join(c.USUAL_NAMES[name][1:])})" for name in (c.QUERY_ID, c.ITEM_ID))
        super().__init__(f"{path} needs columns {names}; present: {', '.join(present)}. Rename them in the file")


@dataclass(frozen=True)
class Rows:
    """What files turned out to hold.

    Attributes:
        kept: One tuple per good row, in order.
        refused: Reason code to number of rows.
        columns: Our column to the file's, of each file.
    """

    kept: list[tuple[Any, ...]]
    refused: Counter[str]
    columns: list[Mapping[str, str]]


def read_held_out(path: str, named: Named) -> Rows:
    """Read (query id, query text, item id) of every row; a query without an id gets one from its text.

    Args:
        path: A file, folder or glob.
        named: Our column to the file's, as given by flags.

    Raises:
        UsageError: No file, an unknown format, or a column is missing.
        DataError: A file cannot be read, or holds no row that can be used.
    """
    kind = Kind("clicks", CLICKS.fields, CLICKS.clean, CLICKS.required, (c.QUERY_ID,))
    sources = map_columns(find_files([path]), kind, named)
    rows = _read(sources, lambda row, columns: kind.clean(row, columns)[:3])
    if not rows.kept:
        raise NothingHeldOutError(path, rows.refused)
    return rows


def read_filter(path: str) -> Rows:
    """Read (query id, item id) of every row.

    Args:
        path: A file, folder or glob.

    Raises:
        UsageError: No file, an unknown format, or a column is missing.
        DataError: A file cannot be read.
    """
    kind = Kind("filter", {c.QUERY_ID: "string", c.ITEM_ID: "string"}, _clean_pair, (c.QUERY_ID, c.ITEM_ID))
    try:
        sources = map_columns(find_files([path]), kind, {})
    except c.ColumnMissingError as error:
        raise FilterColumnsError(path, error.present) from error
    return _read(sources, kind.clean)


def _clean_pair(row: Mapping[str, Any], columns: Mapping[str, str]) -> tuple[str, str]:
    return required(row.get(columns[c.QUERY_ID]), c.QUERY_ID), required(row.get(columns[c.ITEM_ID]), c.ITEM_ID)


def _read(sources: Sequence[Source], clean: Clean) -> Rows:
    rows = Rows([], Counter(), [source.columns for source in sources])
    for source in sources:
        try:
            for part in range(source.file.parts):
                for row, reason, *_ in read_rows(source.file, part):
                    _add(rows, row, reason, source.columns, clean)
        except READ_ERRORS as error:
            raise FileUnreadableError(source.file.name, error) from error
    return rows


def _add(
    rows: Rows, row: Mapping[str, Any] | None, reason: str | None, columns: Mapping[str, str], clean: Clean
) -> None:
    try:
        if row is None:
            raise RejectError(reason)
        rows.kept.append(clean(row, columns))
    except RejectError as error:
        rows.refused[str(error)] += 1
