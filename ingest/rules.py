"""How the rows of a click log are read: which events count, how times are written, in which zone."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from recsys.core.errors import UsageError
from recsys.ingest.values import SkipError

OTHER_EVENT: Final = "other_event"
MAX_WEIGHT: Final = 1_000
"Most clicks that one event counts for."


class EventWeightsError(UsageError):
    """The events to count cannot be told."""

    def __init__(self, given: str) -> None:
        self.given = given
        super().__init__(
            f"--event {given!r} is not a list of events; give names, each with a whole number of clicks from 1 to "
            f"{MAX_WEIGHT:,} if it counts for more than one, such as --event click,purchase=3"
        )


class TimestampFormatError(UsageError):
    """A pattern for timestamps cannot be used."""

    def __init__(self, given: str) -> None:
        self.given = given
        super().__init__(
            f"--timestamp-format {given!r} is not a pattern of Python's strptime; write yyyy-MM-dd HH:mm:ss as "
            "'%Y-%m-%d %H:%M:%S', and [14/Nov/2023:22:13:20 +0000] as '[%d/%b/%Y:%H:%M:%S %z]'"
        )


@dataclass(frozen=True)
class Rules:
    """How to read rows.

    Attributes:
        events: Event to the clicks that one of it counts for; rows of other events are passed over. Empty means that
            every row counts.
        timestamp_format: In the form of ``datetime.strptime``; None means ISO 8601 or a Unix time.
        zone: Of times that name none.
    """

    events: Mapping[str, int] = field(default_factory=dict)
    timestamp_format: str | None = None
    zone: dt.tzinfo = dt.UTC


EVERY_CLICK: Final = Rules()
"Every row counts; times in ISO 8601 or Unix, UTC."


def parse_events(text: str) -> dict[str, int]:
    """Return event to weight of ``click,purchase=3``.

    Raises:
        EventWeightsError: A name is empty or stands there twice, or a weight is no whole number from 1 on.
    """
    events: dict[str, int] = {}
    for part in text.split(","):
        name, is_, weight = (piece.strip() for piece in part.partition("="))
        value = int(weight) if weight.isascii() and weight.isdecimal() and len(weight) < 5 else 0
        if not name or name in events or (is_ and not 1 <= value <= MAX_WEIGHT):
            raise EventWeightsError(text)
        events[name] = value if is_ else 1
    return events


def parse_timestamp_format(pattern: str) -> str:
    """Return ``pattern`` once it is sure that it can read what it writes.

    Raises:
        TimestampFormatError: It is no pattern of ``strptime``.
    """
    try:
        dt.datetime.strptime(dt.datetime(2023, 11, 14, tzinfo=dt.UTC).strftime(pattern), pattern)
    except (ValueError, re.error):  # a directive that stands there twice
        raise TimestampFormatError(pattern) from None
    if "%" not in pattern:
        raise TimestampFormatError(pattern)
    return pattern


def weight_of(event: str, rules: Rules) -> int:
    """Return the clicks that ``event`` counts for.

    Raises:
        SkipError: ``other_event``.
    """
    weight = rules.events.get(event)
    if weight is None:
        raise SkipError(OTHER_EVENT)
    return weight
