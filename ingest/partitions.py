"""Columns in the names of folders: ``dt=2024-01-01/part-0.parquet``, as Hive and Spark write them."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import unquote

_NULL: Final = "__HIVE_DEFAULT_PARTITION__"


def partitions_of(path: Path) -> dict[str, str | None]:
    """Return column to value of every folder ``column=value`` above ``path``; the nearest wins.

    Values are unescaped (``%20``); the name that Hive writes for a missing value is None.
    """
    pairs = (folder.partition("=") for folder in path.parent.parts)
    return {unquote(name): None if value == _NULL else unquote(value) for name, is_, value in pairs if is_ and name}
