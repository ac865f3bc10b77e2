"""Values within values: ``event.params.search_term`` in a row of JSON Lines or Parquet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

_KEY: Final = "key"
_VALUE: Final = "value"


def pick(row: Any, path: str) -> Any:
    """Return the value at a dotted path, None where there is none.

    A step is a key of an object, the number of an element of a list (from 0), or the key of an entry in a list of
    ``{"key": …, "value": …}``, as analytics exports write parameters. Such a value that is an object of which at most
    one field is set (``{"string_value": …, "int_value": null}``) stands for that field at the end of the path.

    Args:
        row: Object as read.
        path: Steps joined by dots; a key that holds a dot itself is found too.
    """
    if path == "":
        return _only(row)
    if isinstance(row, Mapping):
        return _in_object(row, path)
    step, _, rest = path.partition(".")
    if isinstance(row, list):
        if step.isdecimal():
            return pick(row[int(step)], rest) if int(step) < len(row) else None
        entries = (entry for entry in row if isinstance(entry, Mapping) and entry.get(_KEY) == step)
        entry = next(entries, None)
        return None if entry is None else pick(entry.get(_VALUE), rest)
    return None


def with_nested(row: dict[str, Any], paths: Iterable[str]) -> dict[str, Any]:
    """Return ``row`` with the value of each of ``paths`` as a column of its own, those at top level as they are."""
    return row | {path: pick(row, path) for path in paths if path not in row}


def _in_object(row: Mapping[str, Any], path: str) -> Any:
    end = len(path)
    while end > 0:
        if path[:end] in row:
            return pick(row[path[:end]], path[end + 1 :])
        end = path.rfind(".", 0, end)
    return None


def _only(value: Any) -> Any:
    if not isinstance(value, Mapping) or not all(str(name).endswith("_value") for name in value):
        return value
    known = [inner for inner in value.values() if inner is not None]
    return known[0] if len(known) == 1 else None if not known else value
