"""Click logs and filters from files, for the commands that measure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from recsys.cli.output import note

if TYPE_CHECKING:
    from recsys.ingest.held_out import Rows


def click_log(path: str, named: Mapping[str, str | None] | None = None) -> list[tuple[Any, ...]]:
    """Read (query id, query text, item id) of a log, as :func:`recsys.ingest.held_out.read_held_out` does."""
    from recsys.ingest.held_out import read_held_out

    return _told(path, read_held_out(path, named or {}))


def filtered_pairs(path: str | None) -> list[tuple[Any, ...]]:
    """Read (query id, item id) of a filter; none where there is no file."""
    from recsys.ingest.held_out import read_filter

    return _told(path, read_filter(path)) if path else []


def _told(path: str, rows: Rows) -> list[tuple[Any, ...]]:
    """Note which columns of a file were read and which rows were left out, and return the others."""
    for line in dict.fromkeys(", ".join(f"{ours} ← {theirs}" for ours, theirs in c.items()) for c in rows.columns):
        note(f"{path}: {line}")
    if rows.refused:
        left_out = ", ".join(f"{number:,} {reason}" for reason, number in rows.refused.items())
        note(f"{path}: rows left out: {left_out}")
    return rows.kept
