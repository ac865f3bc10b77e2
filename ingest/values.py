"""Values as they come from files, made into ids, texts, times and counts, or refused with a reason."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Mapping
from typing import Any, Final

from recsys.core.columns import FIRST_SEEN, LAST_SEEN
from recsys.ingest.delimited import is_unicode

MAX_TEXT: Final = 10_000
"Characters of the longest text."
MAX_ID: Final = 2_000
"Characters of the longest id or relation name; Neo4j indexes at most 8,167 bytes."
MAX_COUNT: Final = 1_000_000_000
"Largest click count of one row."

_NODE_KEYS = frozenset({"id", "text", "row", "clicks", FIRST_SEEN, LAST_SEEN})
_INT64 = 2**63
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_FIRST_MS = -62_135_596_800_000  # the year 1
_END_MS = 253_402_300_800_000  # the year 10000


class RejectError(ValueError):
    """A row cannot be used; the message is the reason code."""


class SkipError(RejectError):
    """A row is fine but not asked for, such as an event of another type; the message says why."""


def text_of(value: Any, what: str, limit: int = MAX_TEXT) -> str:
    """Return ``value`` as text without blanks at its ends; numbers as digits, None as the empty text.

    Raises:
        RejectError: ``not_utf8``, ``nul_byte``, ``<what>_too_long``, or ``<what>_not_text`` for lists and objects.
    """
    if isinstance(value, str):
        text = value.strip()
    elif value is None or value != value:  # NaN stands for a missing value
        return ""
    elif isinstance(value, bool | list | dict | bytes):
        raise RejectError(f"{what}_not_text")
    else:
        text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    if len(text) > limit:
        raise RejectError(f"{what}_too_long")
    return _storable(text)


def required(value: Any, what: str, limit: int = MAX_ID) -> str:
    """Return :func:`text_of` and refuse the empty text as ``empty_<what>``."""
    text = text_of(value, what, limit)
    if not text:
        raise RejectError(f"empty_{what}")
    return text


def epoch_ms(value: Any, pattern: str | None = None, zone: dt.tzinfo = dt.UTC) -> int | None:
    """Return a time as milliseconds since 1970 UTC; None when it is empty.

    Args:
        value: A datetime, an ISO 8601 text, or a number: seconds, milliseconds, microseconds or nanoseconds by its
            magnitude.
        pattern: In the form of ``datetime.strptime``; given, a text or number is read by it alone.
        zone: Of times that name none. An hour that the clock passes twice is its first; one that it leaves out counts
            on from the time before.

    Raises:
        RejectError: ``bad_timestamp``, also for times that are not of the years 1 to 9999.
    """
    milliseconds = _milliseconds(value, pattern, zone)
    if milliseconds is not None and not _FIRST_MS <= milliseconds < _END_MS:
        raise RejectError("bad_timestamp")
    return milliseconds


def click_count(value: Any) -> int:
    """Return a click count from 1 to :data:`MAX_COUNT`.

    Raises:
        RejectError: ``bad_count``.
    """
    try:
        number = float(text_of(value, "count"))
    except (ValueError, OverflowError):
        raise RejectError("bad_count") from None
    if not number.is_integer() or not 1 <= number <= MAX_COUNT:
        raise RejectError("bad_count")
    return int(number)


def properties_of(row: Mapping[str, Any], without: frozenset[str]) -> dict[str, Any]:
    """Return the columns of ``row`` as properties that Neo4j can store.

    Lists of texts, of numbers or of booleans stay lists, anything nested becomes JSON text, times become ISO 8601
    text, empty values are left out, and a name that nodes use themselves gets a trailing underscore.

    Args:
        row: Column to value.
        without: Columns to leave out.

    Raises:
        RejectError: ``not_utf8`` or ``nul_byte``.
    """
    properties = {}
    for name, value in row.items():
        stored = _stored(value)
        if name and name not in without and stored is not None:
            properties[_storable(f"{name}_" if name in _NODE_KEYS else name)] = stored
    return properties


def _storable(text: str) -> str:
    if "\0" in text:
        raise RejectError("nul_byte")
    if not is_unicode(text):
        raise RejectError("not_utf8")
    return text


def _stored(value: Any) -> Any:
    if isinstance(value, list):
        kept = [_stored(element) for element in value if element is not None]
        kinds = {float if type(element) is int else type(element) for element in kept}
        if len(kinds) <= 1 and not any(isinstance(element, list | dict) for element in value):
            return [float(e) for e in kept] if {type(e) for e in kept} == {int, float} else kept or None
        return _nested(value)
    if isinstance(value, dict):
        return _nested(value)
    if isinstance(value, str):
        return _storable(value) or None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool) or (isinstance(value, int) and -_INT64 <= value < _INT64):
        return value
    return value.isoformat() if isinstance(value, dt.date | dt.time) else str(value)


def _nested(value: Any) -> str:
    return _storable(json.dumps(value, ensure_ascii=False, default=str))


def _milliseconds(value: Any, pattern: str | None, zone: dt.tzinfo) -> int | None:
    if isinstance(value, dt.datetime):
        return _datetime_ms(value, zone)
    if isinstance(value, dt.date):
        return _datetime_ms(dt.datetime(value.year, value.month, value.day), zone)
    text = text_of(value, "timestamp")
    if not text:
        return None
    if pattern is not None:
        return _parsed_ms(text, pattern, zone)
    try:
        number = float(text)
    except ValueError:
        return _parsed_ms(text, None, zone)
    size = abs(number)
    scale = next((s for limit, s in ((1e11, 1e3), (1e14, 1.0), (1e17, 1e-3)) if size < limit), 1e-6)
    if not math.isfinite(number) or size * scale > _END_MS:
        raise RejectError("bad_timestamp")
    return math.floor(number * scale)


def _datetime_ms(moment: dt.datetime, zone: dt.tzinfo) -> int:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return (aware - _EPOCH) // dt.timedelta(milliseconds=1)


def _parsed_ms(text: str, pattern: str | None, zone: dt.tzinfo) -> int:
    try:
        return _datetime_ms(dt.datetime.strptime(text, pattern) if pattern else dt.datetime.fromisoformat(text), zone)
    except (ValueError, OverflowError):
        raise RejectError("bad_timestamp") from None
