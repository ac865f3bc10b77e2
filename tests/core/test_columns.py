"""Finding columns by flag and by usual name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.core.columns import ITEM_ID, ITEM_TITLE, QUERY_TEXT, SESSION, USUAL_NAMES, ColumnMissingError, find_columns


@given(ours=st.sampled_from(sorted(USUAL_NAMES)), data=st.data())
def test_a_usual_name_is_found_whatever_its_case(ours: str, data: st.DataObject):
    """Every usual name is found in any case and with blanks around it, and given back as the file spells it."""
    name = data.draw(st.sampled_from(USUAL_NAMES[ours]))
    spelt = f" {''.join(data.draw(st.sampled_from([c.lower(), c.upper()])) for c in name)} "
    assert find_columns(["other", spelt], required=[ours]) == {ours: spelt}


def test_the_more_telling_name_wins():
    """Where several usual names are there, the first of the list is taken, whatever the order in the file."""
    assert find_columns(["q", "text", "Query"], required=[QUERY_TEXT]) == {QUERY_TEXT: "Query"}
    assert find_columns(["QUERY", "query"], required=[QUERY_TEXT]) == {QUERY_TEXT: "QUERY"}


def test_a_named_column_wins_over_usual_ones():
    """A flag is taken as it is spelt."""
    found = find_columns(["query", "Suchtext"], required=[QUERY_TEXT], named={QUERY_TEXT: "Suchtext"})
    assert found == {QUERY_TEXT: "Suchtext"}
    with pytest.raises(ColumnMissingError):
        find_columns(["Suchtext"], required=[QUERY_TEXT], named={QUERY_TEXT: "suchtext"})


def test_optional_columns_may_be_missing():
    """They are left out, unless a flag names one that is not there."""
    assert find_columns(["item"], required=[ITEM_ID], optional=[SESSION], named={SESSION: None}) == {ITEM_ID: "item"}
    with pytest.raises(ColumnMissingError, match=r"log\.csv has no column for session \(looked for visit"):
        find_columns(["item"], required=[ITEM_ID], optional=[SESSION], named={SESSION: "visit"}, where="log.csv")


def test_a_missing_column_says_what_is_there_and_which_flag_helps():
    """The error names the file, the names tried, the columns present and the flag."""
    complaint = (
        r"log\.csv has no column for item_title .*product_title.*present: a, b\); name it with --item-title COLUMN"
    )
    with pytest.raises(ColumnMissingError, match=complaint) as error:
        find_columns(["a", "b"], required=[ITEM_TITLE], where="log.csv")
    assert (error.value.wanted, error.value.present) == (ITEM_TITLE, ("a", "b"))
    with pytest.raises(ColumnMissingError, match="present: none"):
        find_columns([], required=[ITEM_TITLE])
