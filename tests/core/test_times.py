"""Milliseconds and the texts that stand for them."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from recsys.core.times import moment, rfc3339

FIRST, LAST = -62_135_596_800_000, 253_402_300_799_999


def test_a_time_by_hand():
    """One moment, one before 1970, and both ends of what can be written."""
    assert rfc3339(1_700_000_000_123) == "2023-11-14T22:13:20.123Z"
    assert rfc3339(-1) == "1969-12-31T23:59:59.999Z"
    assert (rfc3339(FIRST), rfc3339(LAST)) == ("0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z")


@given(st.integers(FIRST, LAST))
def test_every_millisecond_has_a_text_of_its_own(milliseconds: int):
    """Read back, the text is the same millisecond."""
    back = datetime.fromisoformat(rfc3339(milliseconds))
    assert back == moment(milliseconds)
    assert back.tzinfo == UTC
