"""Progress bars on stderr for work that takes long."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

T = TypeVar("T")


def progress(items: Iterable[T], description: str, *, total: int | None = None, unit: str = "it") -> Iterator[T]:
    """Yield ``items`` while a bar on stderr counts them; silent where stderr is not a terminal and work is short.

    Args:
        items: What to go through.
        description: Shown before the bar.
        total: Number of items when ``items`` has no length.
        unit: Name of one item.
    """
    terminal = sys.stderr.isatty()
    yield from tqdm(
        items,
        desc=description,
        total=total,
        unit=unit,
        file=sys.stderr,
        leave=terminal,
        delay=0 if terminal else 5,
        mininterval=0.1 if terminal else 10,
    )
