"""Times in filters: a date is its whole day, and what has a time of day is that moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from qdrant_client import models

from recsys.core.columns import FIRST_SEEN, LAST_SEEN
from recsys.core.times import EPOCH, moment

TIMES: Final = (FIRST_SEEN, LAST_SEEN)
"Columns of the payload that hold times."

_DAY: Final = timedelta(days=1)
_MILLISECOND: Final = timedelta(milliseconds=1)

Bounds = tuple[int | None, int | None]


@dataclass(frozen=True)
class Span:
    """Time that a text stands for, in whole milliseconds since 1970 UTC, which is how finely items keep theirs.

    Attributes:
        start: The first millisecond that is not before it.
        end: The first millisecond that is after it; ``start`` itself for a moment between two.
    """

    start: int
    end: int

    @classmethod
    def parse(cls, text: str) -> Span:
        """Read an ISO 8601 date, or date and time; UTC unless it names a zone.

        Raises:
            ValueError: ``text`` is neither.
        """
        try:
            begin = datetime.combine(date.fromisoformat(text), time(), UTC) - EPOCH
        except ValueError:
            found = datetime.fromisoformat(text)
            exact = (found if found.tzinfo else found.replace(tzinfo=UTC)) - EPOCH
            return cls(-(-exact // _MILLISECOND), exact // _MILLISECOND + 1)
        return cls(begin // _MILLISECOND, (begin + _DAY) // _MILLISECOND)

    def bounds(self, operator: str) -> Bounds:
        """Return from which millisecond on and before which one times fulfil ``operator``; do not, for ``!=``."""
        return {
            "=": (self.start, self.end),
            "!=": (self.start, self.end),
            "<": (None, self.start),
            "<=": (None, self.end),
            ">": (self.end, None),
            ">=": (self.start, None),
        }[operator]

    def as_range(self, operator: str) -> models.DatetimeRange:
        """Return the bounds as Qdrant takes them."""
        start, end = map(_datetime, self.bounds(operator))
        return models.DatetimeRange(gte=start, lt=end)

    def holds(self, operator: str, value: object) -> bool:
        """Say whether ``value``, of a payload, is a time within the bounds."""
        if not isinstance(value, str):
            return False
        try:
            at = Span.parse(value).start
        except ValueError:
            return False
        start, end = self.bounds(operator)
        return (start is None or start <= at) and (end is None or at < end)


def _datetime(milliseconds: int | None) -> datetime | None:
    if milliseconds is None:
        return None
    try:
        return moment(milliseconds)
    except OverflowError:  # a bound that no time of an item reaches
        return (datetime.max if milliseconds > 0 else datetime.min).replace(tzinfo=UTC)
