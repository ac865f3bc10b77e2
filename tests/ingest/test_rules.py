import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.ingest.clean import clean_click
from recsys.ingest.rules import (
    MAX_WEIGHT,
    EventWeightsError,
    Rules,
    TimestampFormatError,
    parse_events,
    parse_timestamp_format,
)
from recsys.ingest.values import RejectError, SkipError

COLUMNS = {"query_text": "q", "item_id": "i", "event": "e", "count": "n"}
names = st.text("abc_ .", min_size=1, max_size=5).map(str.strip).filter(bool)


@given(st.dictionaries(names, st.integers(1, MAX_WEIGHT), min_size=1, max_size=4))
def test_events_with_weights_are_read_back(events: dict[str, int]) -> None:
    """A weight of one may be left out."""
    assert parse_events(",".join(f"{name}={weight}" for name, weight in events.items())) == events
    assert parse_events(",".join(events)) == dict.fromkeys(events, 1)


@given(st.text("ab,=10-. ", max_size=12))
def test_events_are_names_with_whole_weights_or_an_error(text: str) -> None:
    """No text is half understood."""
    try:
        events = parse_events(text)
    except EventWeightsError:
        return
    assert len(events) == text.count(",") + 1
    assert all(name and 1 <= weight <= MAX_WEIGHT for name, weight in events.items())


@pytest.mark.parametrize("pattern", ["%Q", "yyyy-MM-dd", "", "%Y %Y", "100%", "%s"])
def test_what_is_no_pattern_is_said(pattern: str) -> None:
    """A pattern that could never read a time is refused before a row is."""
    with pytest.raises(TimestampFormatError):
        parse_timestamp_format(pattern)


@pytest.mark.parametrize("pattern", ["%d/%b/%Y:%H:%M:%S %z", "%Y%m%d", "%m/%d/%y %I:%M %p", "%Y-%m-%dT%H:%M:%S.%f"])
def test_usual_patterns_pass(pattern: str) -> None:
    """Web servers, partitions, spreadsheets and programs write these."""
    assert parse_timestamp_format(pattern) == pattern


def test_an_event_counts_by_its_weight_times_the_count() -> None:
    """A purchase of weight 3 in a row of 2 is 6 clicks; other events are passed over whatever they lack."""
    rules = Rules(events={"click": 1, "purchase": 3})
    assert clean_click({"q": "lamp", "i": "1", "e": " purchase ", "n": "2"}, COLUMNS, rules)[-1] == 6
    with pytest.raises(SkipError, match="other_event"):
        clean_click({"q": "", "i": "", "e": "view", "n": "x"}, COLUMNS, rules)
    with pytest.raises(RejectError, match="bad_count"):
        clean_click({"q": "lamp", "i": "1", "e": "click", "n": "0.5"}, COLUMNS, rules)
