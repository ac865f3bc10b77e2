"""Query text and the id it gives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.core.text import normalise, query_id


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  Red\tSHOES \n", "red shoes"),
        ("Straße", "strasse"),
        ("\ufb01ne\u00a0art", "fine art"),
        ("Ｗｉｄｅ", "wide"),
        ("", ""),
    ],
)
def test_spelling_is_evened_out(text: str, expected: str):
    """Case, compatibility forms and white space make no difference."""
    assert normalise(text) == expected


@given(st.text())
def test_normalising_twice_changes_nothing(text: str):
    """A text that was normalised is its own normal form, so its id is stable."""
    once = normalise(text)
    assert normalise(once) == once
    assert query_id(once) == query_id(text)


@given(st.text(), st.text())
def test_ids_are_equal_where_texts_are(one: str, other: str):
    """Two texts share an id exactly when their normal forms are equal."""
    assert (query_id(one) == query_id(other)) == (normalise(one) == normalise(other))


def test_an_id_is_a_prefix_and_eighty_bits():
    """It stays what it was in earlier graphs, and half a surrogate pair does no harm."""
    assert query_id("Red  Shoes") == query_id("red shoes") == EXPECTED
    assert len(query_id("\ud800")) == len(EXPECTED)


EXPECTED = "text:bfd9ba5bb13bc401eae9"
