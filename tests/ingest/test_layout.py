from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.ingest.layout import ColumnNamesError, DelimiterError, Layout, parse_columns, parse_delimiter

names = st.text(st.characters(exclude_characters=",", exclude_categories=["Cs"]), max_size=5).map(str.strip)


@pytest.mark.parametrize(
    ("given_", "expected"), [("tab", "\t"), (r"\t", "\t"), ("\t", "\t"), (r"\x01", "\x01"), ("Pipe", "|"), (";", ";")]
)
def test_a_delimiter_is_a_character_an_escape_or_a_name(given_: str, expected: str) -> None:
    """What shells make hard to type has another form."""
    assert parse_delimiter(given_) == expected


@given(st.text(max_size=4))
def test_a_delimiter_is_one_character_or_an_error(text: str) -> None:
    """Quotes, line ends and several characters set no fields apart."""
    try:
        found = parse_delimiter(text)
    except DelimiterError:
        return
    assert len(found) == 1
    assert found not in '"\r\n\0'


@given(st.lists(names, min_size=1, max_size=6))
def test_names_of_columns_are_taken_apart(given_: list[str]) -> None:
    """Blank names keep their place; no name stands there twice, and one at least does."""
    filled = [name for name in given_ if name]
    if filled and len(set(filled)) == len(filled):
        assert parse_columns(",".join(given_)) == tuple(given_)
    else:
        with pytest.raises(ColumnNamesError):
            parse_columns(",".join(given_))


def test_tsv_is_tab_unless_told_otherwise() -> None:
    """The name counts, packed or not; a flag wins."""
    assert Layout().delimiter_of(Path("a.tsv.gz")) == Layout().delimiter_of(Path("a.TSV")) == "\t"
    assert Layout().delimiter_of(Path("a.csv")) == ","
    assert Layout(delimiter="|").delimiter_of(Path("a.tsv")) == "|"
