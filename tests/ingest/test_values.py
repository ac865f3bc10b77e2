import datetime as dt
import json
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.ingest.values import MAX_COUNT, RejectError, click_count, epoch_ms, properties_of, required, text_of

MOMENT = 1_700_000_000_123


@pytest.mark.parametrize(
    "value",
    [
        "2023-11-14T22:13:20.123Z",
        "2023-11-14 23:13:20.123+01:00",
        "2023-11-14T22:13:20.123",
        dt.datetime(2023, 11, 14, 22, 13, 20, 123_000),
        dt.datetime(2023, 11, 14, 22, 13, 20, 123_000, tzinfo=dt.UTC),
        "1700000000.123",
        1_700_000_000_123,
        "1700000000123000",
        1_700_000_000_123_000_000,
    ],
)
def test_one_moment_in_every_form_is_the_same_number(value: object) -> None:
    """ISO text with and without a zone, datetimes, seconds, milli-, micro- and nanoseconds agree."""
    assert epoch_ms(value) == MOMENT


def test_seconds_and_dates() -> None:
    """Whole seconds, a date alone, and nothing at all."""
    assert epoch_ms("1700000000") == 1_700_000_000_000
    assert epoch_ms("2023-11-14") == epoch_ms(dt.date(2023, 11, 14)) == 1_699_920_000_000
    assert epoch_ms("") is None
    assert epoch_ms(None) is None
    assert epoch_ms(float("nan")) is None


@pytest.mark.parametrize(
    "value",
    ["yesterday", "inf", "1e300", "2023-13-01", True, [1], "-99e12", "253402300800000000000", "0001-01-01T00:00+01:00"],
)
def test_what_is_no_time_is_refused(value: object) -> None:
    """A wrong time is never guessed, and one that no calendar writes with four digits is wrong."""
    with pytest.raises(RejectError, match=r"bad_timestamp|timestamp_not_text"):
        epoch_ms(value)


@given(st.integers(1, MAX_COUNT))
def test_a_count_is_the_same_as_text_integer_and_float(count: int) -> None:
    """Every format of a positive whole number is that number."""
    assert click_count(str(count)) == click_count(count) == click_count(float(count)) == count


@pytest.mark.parametrize("value", ["", "0", "-1", "1.5", "many", "nan", "1e99", None, MAX_COUNT + 1])
def test_what_is_no_count_is_refused(value: object) -> None:
    """A count is a whole number from 1 to the limit."""
    with pytest.raises(RejectError, match="bad_count"):
        click_count(value)


@given(st.one_of(st.text(), st.integers(), st.floats(), st.none(), st.binary(), st.lists(st.text())))
def test_a_text_is_clean_or_refused(value: object) -> None:
    """What passes has no blank ends, no NUL and can be stored as UTF-8."""
    try:
        text = text_of(value, "id", 20)
    except RejectError:
        return
    assert text == text.strip()
    assert "\0" not in text
    assert len(text.encode()) <= 80


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (" \t", "empty_id"),
        ("a\0b", "nul_byte"),
        ("a\udce9", "not_utf8"),
        ("x" * 2_001, "id_too_long"),
        (["a"], "id_not_text"),
    ],
)
def test_each_reason(value: object, reason: str) -> None:
    """The reason code says what is wrong."""
    with pytest.raises(RejectError, match=reason):
        required(value, "id")


def test_numbers_as_ids_do_not_depend_on_the_format() -> None:
    """12 is the same id as text, integer and the float that a missing value made of it."""
    assert {text_of(value, "id") for value in ("12", 12, 12.0)} == {"12"}


def test_properties_are_what_neo4j_can_store() -> None:
    """Lists of one kind stay, nested values become JSON text, nothing is left out but what is empty."""
    row = {
        "id": "x",
        "tags": ["a", None, "b"],
        "sizes": [1, 2.5],
        "mixed": ["a", 1],
        "nested": {"a": [1]},
        "none": None,
        "nan": float("nan"),
        "huge": 2**70,
        "day": dt.date(2024, 1, 2),
        "x`}) DETACH DELETE n //": True,
        "item": "left out",
    }
    assert properties_of(row, without=frozenset({"item"})) == {
        "id_": "x",
        "tags": ["a", "b"],
        "sizes": [1.0, 2.5],
        "mixed": json.dumps(["a", 1]),
        "nested": json.dumps({"a": [1]}),
        "huge": str(2**70),
        "day": "2024-01-02",
        "x`}) DETACH DELETE n //": True,
    }


@given(st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1)))
def test_a_pattern_reads_what_it_wrote(moment: dt.datetime) -> None:
    """To the millisecond, in the zone that the text names, or else the one given."""
    berlin = ZoneInfo("Europe/Berlin")
    text = moment.strftime("%d.%m.%Y %H:%M:%S.%f")
    for zone in (dt.UTC, berlin):
        assert epoch_ms(text, "%d.%m.%Y %H:%M:%S.%f", zone) == epoch_ms(moment.replace(tzinfo=zone))
    assert epoch_ms(f"{text} +0000", "%d.%m.%Y %H:%M:%S.%f %z", berlin) == epoch_ms(moment)


def test_a_time_without_a_zone_is_in_the_zone_given() -> None:
    """In winter Berlin is an hour ahead, in summer two; the hour that comes twice is the first."""
    berlin = ZoneInfo("Europe/Berlin")
    assert epoch_ms("2023-11-14T23:13:20.123", zone=berlin) == MOMENT
    assert epoch_ms("2023-11-14T22:13:20.123Z", zone=berlin) == MOMENT
    assert epoch_ms("2023-07-01", zone=berlin) == epoch_ms("2023-06-30T22:00:00Z")
    assert epoch_ms("2023-10-29T02:30:00", zone=berlin) == epoch_ms("2023-10-29T00:30:00Z")
    assert epoch_ms("1700000000.123", zone=berlin) == MOMENT


@pytest.mark.parametrize("value", ["20231114", 20231114])
def test_under_a_pattern_digits_are_no_unix_time(value: object) -> None:
    """A day written as a number is that day."""
    assert epoch_ms(value, "%Y%m%d") == 1_699_920_000_000
    with pytest.raises(RejectError, match="bad_timestamp"):
        epoch_ms("1700000000", "%Y-%m-%d")
