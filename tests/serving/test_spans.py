"""Times in filters, against comparisons in plain Python and on Qdrant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from operator import eq, ge, gt, le, lt, ne
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from qdrant_client import QdrantClient, models

from recsys.core.run import write_table
from recsys.core.times import rfc3339
from recsys.serving.listing import Listing, PerGroup
from recsys.serving.only import BadConditionError, Condition, Only
from recsys.serving.publish import publish
from recsys.serving.recommend import Recommender
from recsys.serving.storage import Storage
from recsys.serving.upload import item_payload

COMPARE: dict[str, Callable[[Any, Any], bool]] = {"=": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge}
DAY = 86_400_000
SOME = (0, DAY - 1, DAY, DAY + 1, 2 * DAY, 2 * DAY + 500, 253_402_300_799_999, -62_135_596_800_000)


def expected(times: Sequence[int | None], operator: str, value: date | datetime) -> list[int]:
    """Return the places of the times that compare so; days with days, moments with moments."""
    moments = [None if t is None else datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=t) for t in times]
    found = [at if at is None or isinstance(value, datetime) else at.date() for at in moments]
    return [k for k, at in enumerate(found) if (operator == "!=" if at is None else COMPARE[operator](at, value))]


def found(times: Sequence[int | None], condition: Condition) -> list[int]:
    """Return the places of the times that Qdrant, in memory, lets through, and hold `allows` against it."""
    payloads = [{"id": str(k)} | ({} if t is None else {"last_seen": rfc3339(t)}) for k, t in enumerate(times)]
    client = QdrantClient(":memory:")
    client.create_collection("c", vectors_config={})
    client.upsert("c", [models.PointStruct(id=k, vector={}, payload=p) for k, p in enumerate(payloads)])
    points, _ = client.scroll("c", Only([condition]).as_filter(), limit=100)
    places = sorted(int(point.id) for point in points)
    assert places == [k for k, payload in enumerate(payloads) if condition.allows(payload)]
    return places


near = st.one_of(st.sampled_from(SOME), st.integers(-3 * DAY, 3 * DAY))
zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
days = st.one_of(st.dates(date(1969, 12, 30), date(1970, 1, 3)), st.sampled_from([date.min, date.max]))
moments = st.datetimes(datetime(1969, 12, 30), datetime(1970, 1, 3), timezones=st.one_of(st.just(UTC), zones))


@settings(max_examples=60)
@example([0, None, DAY], ">=", date.max)
@example([DAY], "=", datetime(1970, 1, 2, 0, 0, 0, 500, tzinfo=UTC))
@given(st.lists(st.one_of(st.none(), near), min_size=1, max_size=8), st.sampled_from(sorted(COMPARE)), days | moments)
def test_qdrant_finds_what_python_finds(times: list[int | None], operator: str, value: date | datetime):
    """A date compares with the day of a time in UTC, a moment of any zone and fineness with the time itself."""
    condition = Condition.parse(f"last_seen {operator} {value.isoformat()}")
    assert found(times, condition) == expected(times, operator, value)


def test_a_moment_without_a_zone_is_utc():
    """As everywhere else."""
    assert found([0, DAY], Condition.parse("last_seen>1970-01-01T12:00")) == [1]
    assert found([0, DAY], Condition.parse("last_seen<=1970-01-02T00:00")) == [0, 1]


@pytest.mark.parametrize("value", ["soon", "2026-13-01", "2026", "1767225600", "20", "2026-01-01T25:00"])
@pytest.mark.parametrize("operator", ["=", ">="])
def test_what_is_no_time_is_wrong_usage(value: str, operator: str):
    """The error shows what a time looks like."""
    with pytest.raises(BadConditionError, match="2026-01-31"):
        Condition.parse(f"first_seen{operator}{value}")


def test_a_payload_has_times_that_qdrant_reads(shop):
    """Milliseconds become RFC 3339; what an item table called so, in a run from before, stays as it is."""
    run = shop.run("a", items=2)
    payloads = [{"first_seen": 0, "last_seen": 1_700_000_000_123, "brand": "b"}, {"first_seen": "in spring"}]
    items = replace(run.items(), payloads=payloads)
    ours = {"id": "item-0", "title": "red red item 0", "clicks": 0}
    seen = {"first_seen": "1970-01-01T00:00:00.000Z", "last_seen": "2023-11-14T22:13:20.123Z", "brand": "b"}
    assert item_payload(items, 0) == ours | seen
    assert item_payload(items, 1)["first_seen"] == "in spring"


def test_a_published_run_is_filtered_by_its_times(shop):
    """Of a run, embedded and on a server with its index, a filter leaves what Python leaves, in the same order."""
    run = shop.run("a", items=40)
    times = [None if row % 7 == 6 else row * DAY // 4 for row in range(40)]
    payloads = [{} if t is None else {"first_seen": t - 1, "last_seen": t} for t in times]
    write_table(run.path / "items.parquet", replace(run.items(), payloads=payloads))
    with shop.connect() as client:
        publish(client, run, shop.alias, embedded=shop.embedded, storage=Storage(indexed=()))
        recommender = Recommender(client, shop.alias, shop.runs)
        (everything,) = recommender.by_text(["oak table"], 40)
        for operator in COMPARE:
            for value in (date(1970, 1, 6), datetime(1970, 1, 6, 12, tzinfo=UTC), date.min, date.max):
                only = Only([Condition.parse(f"last_seen{operator}{value.isoformat()}")])
                (left,) = recommender.by_text(["oak table"], 40, only=only)
                allowed = {f"item-{row}" for row in expected(times, operator, value)}
                assert [hit.id for hit in left.hits] == [hit.id for hit in everything.hits if hit.id in allowed]
        grouped = Listing(per_group=PerGroup("last_seen", 1))
        assert recommender.by_text(["oak table"], 40, listing=grouped)[0].hits == everything.hits
