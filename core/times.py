"""Times as the graph keeps them, whole milliseconds since 1970 UTC, and as texts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def moment(milliseconds: int) -> datetime:
    """Return a time.

    Raises:
        OverflowError: It is not of the years 1 to 9999.
    """
    return EPOCH + timedelta(milliseconds=milliseconds)


def rfc3339(milliseconds: int) -> str:
    """Return a time of the years 1 to 9999 such as ``2026-01-31T08:00:00.000Z``."""
    return moment(milliseconds).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
