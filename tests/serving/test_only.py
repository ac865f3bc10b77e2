"""What may be recommended: filters in words and as Qdrant takes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qdrant_client import QdrantClient, models

from recsys.serving.only import EVERYTHING, BadConditionError, Condition, Only

PAYLOADS = [
    {"id": "a", "size": 5, "price": 9.5, "kind": "shoe", "new": True, "tags": ["x", "y"], "shop.city": "Bonn"},
    {"id": "b", "size": "5", "price": 20, "kind": "5", "new": False, "tags": ["y"]},
    {"id": "c", "size": 7, "kind": "red shoe", "new": "true", "unit price": 3},
]


@pytest.fixture(scope="module")
def client() -> QdrantClient:
    """A Qdrant in memory with three points."""
    made = QdrantClient(":memory:")
    made.create_collection("c", vectors_config={})
    made.upsert("c", [models.PointStruct(id=row, vector={}, payload=p) for row, p in enumerate(PAYLOADS)])
    return made


def found(client: QdrantClient, only: Only) -> str:
    """Return the ids of the points that fulfil it."""
    points, _ = client.scroll("c", only.as_filter())
    return "".join(sorted(point.payload["id"] for point in points))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("kind=shoe", "a"),
        ("kind = red shoe", "c"),
        ("kind!=shoe", "bc"),
        ("size=5", "ab"),
        ("size!=5", "c"),
        ("size>5", "c"),
        ("size>=5", "ac"),
        ("price<20", "a"),
        ("price<=2e1", "ab"),
        ("price=9.5", "a"),
        ("new=true", "ac"),
        ("new=FALSE", "b"),
        ("tags=y", "ab"),
        ("tags!=x", "bc"),
        ("shop.city=Bonn", "a"),
        ("unit price=3", "c"),
        ("missing=1", ""),
        ("kind=nan", ""),
    ],
)
def test_conditions_find_what_they_say(client: QdrantClient, text: str, expected: str) -> None:
    """Texts, numbers, truth values, lists and awkward column names, with each operator."""
    assert found(client, Only([Condition.parse(text)])) == expected


def test_all_conditions_hold_and_ids_stay_out(client: QdrantClient) -> None:
    """Conditions narrow each other, and items seen are left out of what is left."""
    assert EVERYTHING.as_filter() is None
    assert found(client, Only(without=["a", "zzz"])) == "bc"
    assert found(client, Only([Condition("size", "=", 5)])) == "a"
    assert found(client, Only([Condition("tags", "=", "y"), Condition("price", ">", 10)])) == "b"
    assert found(client, Only([Condition("tags", "=", "y")], ["b"])) == "a"


@pytest.mark.parametrize(
    "text", ["", "kind", "=x", "kind=", "price<cheap", "price<nan", 'a"b=1', "kind==", "kind==x", "price<true"]
)
def test_what_is_no_condition_is_wrong_usage(text: str) -> None:
    """The error shows what a condition looks like."""
    with pytest.raises(BadConditionError, match="price<=20") as caught:
        Condition.parse(text)
    assert caught.value.condition == text


@given(st.text("ab c.-_", min_size=1).filter(str.strip), st.sampled_from(["=", "!="]), st.text("xyz 1.", min_size=1))
def test_parts_come_apart_again(column: str, operator: str, value: str) -> None:
    """A condition is read back from its parts, blanks around them aside."""
    if value.strip():
        assert Condition.parse(f"{column} {operator} {value}") == Condition(column.strip(), operator, value.strip())
