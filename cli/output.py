"""Results on stdout, as text for people or as JSON for programs; everything else on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any


def print_json(value: Any) -> None:
    """Print ``value`` as JSON on stdout; text that is not Unicode, as in rows set aside, is escaped."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    try:
        text.encode()
    except UnicodeEncodeError:
        text = json.dumps(value, indent=2, default=str)
    print(text)


def print_line(text: str = "") -> None:
    """Print one line of a result on stdout."""
    print(text)


def note(text: str) -> None:
    """Print one line about what is going on, on stderr."""
    print(text, file=sys.stderr, flush=True)


def print_fields(fields: Mapping[str, Any]) -> None:
    """Print one aligned ``name  value`` line per field on stdout; blanks stand for underscores."""
    width = max(map(len, fields))
    for name, value in fields.items():
        print(f"{name.replace('_', ' ').ljust(width)}  {value}")


def print_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Print ``rows`` as an aligned table on stdout: text to the left, numbers to the right."""
    cells = [[_cell(row.get(column)) for column in columns] for row in rows]
    widths = [max(len(column), *(len(line[i]) for line in cells), 0) for i, column in enumerate(columns)]
    numeric = [all(isinstance(row.get(column), int | float | None) for row in rows) for column in columns]

    def line(values: Sequence[str]) -> str:
        padded = [v.rjust(w) if n else v.ljust(w) for v, w, n in zip(values, widths, numeric, strict=True)]
        return "  ".join(padded).rstrip()

    print(line(columns))
    for values in cells:
        print(line(values))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.2f}" if isinstance(value, float) else str(value)
