from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from recsys.ingest.nested import pick, with_nested

keys = st.text("abk.", min_size=1, max_size=3)
values = st.recursive(
    st.one_of(st.none(), st.integers(), st.text("ab", max_size=3)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=3)),
    max_leaves=12,
)
plain = st.recursive(
    st.dictionaries(st.sampled_from("abc"), st.integers(), min_size=1),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, min_size=1),
)


@given(values, st.text("abk.01", max_size=6))
def test_a_path_into_anything_is_a_value_or_none(row: Any, path: str) -> None:
    """No object, list or path breaks the reading."""
    pick(row, path)


@given(plain)
def test_every_value_of_an_object_is_found_by_its_path(row: dict[str, Any]) -> None:
    """The path is the keys that lead there."""

    def check(inside: Any, path: str) -> None:
        for key, value in inside.items() if isinstance(inside, dict) else ():
            assert pick(row, path + key) == value
            check(value, f"{path}{key}.")

    check(row, "")


def test_lists_are_reached_by_number_and_by_key() -> None:
    """Elements count from 0; parameters are entries with key and value, of which the field that is set counts."""
    row = {
        "items": [{"id": "i1"}, {"id": "i2"}],
        "params": [{"key": "page", "value": {"int_value": 2, "string_value": None}}, {"key": "q", "value": "lamp"}],
        "a.b": {"c": 1},
        "two": {"x_value": 1, "y_value": 2},
    }
    assert pick(row, "items.1.id") == "i2"
    assert pick(row, "items.2.id") is None
    assert pick(row, "params.page") == 2
    assert pick(row, "params.q") == "lamp"
    assert pick(row, "a.b.c") == 1
    assert pick(row, "two") == {"x_value": 1, "y_value": 2}
    assert with_nested({"a": {"b": 1}, "c.d": 2}, ["a.b", "c.d"]) == {"a": {"b": 1}, "a.b": 1, "c.d": 2}
