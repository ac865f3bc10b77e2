"""When there is nothing better: popular items, and saying so."""

from __future__ import annotations

import threading

import pytest
import stamina
from qdrant_client import QdrantClient
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from recsys.serving.listing import Listing, PerGroup
from recsys.serving.only import Condition, Only
from recsys.serving.popular import Popular
from recsys.serving.publish import publish
from recsys.serving.recommend import Recommender
from tests.serving.http_stub import Reply, as_qdrant, serving

POPULAR = [f"item-{row}" for row in range(39, -1, -1)]
"Clicks of an item are its row."


@pytest.fixture
def client(shop):
    """A Qdrant with one published run."""
    with shop.connect() as client:
        publish(client, shop.run("a"), shop.alias, embedded=shop.embedded)
        yield client


def ids(recommendation):
    """Return the ids of the hits."""
    return [hit.id for hit in recommendation.hits]


def failing(client, monkeypatch, failures, error):
    """Let the next requests for neighbours fail; return their count so far."""
    count = []

    def failing_first(ask):
        def fail(*args, **kwargs):
            count.append(1)
            if len(count) <= failures:
                raise error
            return ask(*args, **kwargs)

        return fail

    for name in ("query_points", "query_batch_points"):
        monkeypatch.setattr(client, name, failing_first(getattr(client, name)))
    return count


def test_the_most_clicked_come_first_and_filters_hold(client, shop):
    """Ordered by clicks, which are the scores, with the same filters, limits and pages as a search."""
    recommender = Recommender(client, shop.alias, shop.runs, fallback=True)
    (answer,) = recommender.by_text(["xyzzy"], 3)
    assert (ids(answer), [hit.score for hit in answer.hits]) == (POPULAR[:3], [39, 38, 37])
    assert (answer.matched, answer.origin.way) == (False, "popular")
    assert answer.origin.because == "the encoder knows nothing of what was asked"
    only = Only([Condition("brand", "=", "b1"), Condition("clicks", "<", 30)], ["item-28"])
    assert ids(recommender.by_text(["xyzzy"], 2, only=only)[0]) == ["item-25", "item-22"]
    grouped = Listing(offset=2, per_group=PerGroup("brand", 1))
    assert ids(recommender.by_text(["xyzzy"], 3, listing=grouped)[0]) == ["item-37"]
    assert recommender.by_text(["red"])[0].origin.way == "vector"


@pytest.mark.parametrize("operator", ["=", "!=", "<", "<=", ">", ">="])
@pytest.mark.parametrize("column", ["brand", "clicks", "gone"])
def test_filters_hold_as_they_do_in_qdrant(client, shop, column, operator):
    """Whatever is compared, remembered items are let through exactly where Qdrant lets them through."""
    for value in ("b1", "12", 12) if operator in ("=", "!=") else (12, 30.5):
        only = Only([Condition(column, operator, value)], ["item-7"])
        points, _ = client.scroll(f"{shop.alias}-a", only.as_filter(), limit=100)
        found = Popular(client, f"{shop.alias}-a").find(100, only)
        assert {item.id for item in found} == {point.payload["id"] for point in points}


def test_what_passes_by_itself_is_not_noticed(client, shop, monkeypatch):
    """A server that fails twice and then answers costs two more tries."""
    recommender = Recommender(client, shop.alias, shop.runs)
    expected = ids(recommender.by_query_id("query-3"))
    busy = UnexpectedResponse(503, "Service Unavailable", b"", None)
    count = failing(client, monkeypatch, 2, busy)
    answer = recommender.by_query_id("query-3")
    assert (ids(answer), answer.origin.way, len(count)) == (expected, "vector", 3)


@pytest.mark.parametrize("fallback", [True, False])
def test_what_does_not_pass_is_said(client, shop, monkeypatch, fallback):
    """With popular items where they are wanted, with the seen ones left out; else with the error."""
    recommender = Recommender(client, shop.alias, shop.runs, fallback=fallback)
    failing(client, monkeypatch, 1_000, ResponseHandlingException(ConnectionError("refused")))
    if not fallback:
        with pytest.raises(ResponseHandlingException):
            recommender.by_item("item-39")
        return
    answers = [*recommender.by_text(["red", "blue"], 2), recommender.by_history([], [], ["item-39"], 2)]
    assert [ids(answer) for answer in answers] == [POPULAR[:2], POPULAR[:2], POPULAR[1:3]]
    assert [answer.query for answer in answers] == ["red", "blue", "item-39"]
    assert {answer.origin.because for answer in answers} == {"Qdrant does not answer: refused"}


def test_without_patience_there_is_one_try(client, shop, monkeypatch):
    """A backend that cannot wait gets popular items after the first failure."""
    recommender = Recommender(client, shop.alias, shop.runs, fallback=True, patience=0)
    count = failing(client, monkeypatch, 1, ResponseHandlingException(ConnectionError("refused")))
    assert recommender.by_text(["red"])[0].origin.way == "popular"
    assert recommender.by_text(["red"])[0].origin.way == "vector"
    assert len(count) == 2


def test_what_is_wrong_is_no_reason_for_popular_items(client, shop, monkeypatch):
    """A refused key is the operator's to mend."""
    recommender = Recommender(client, shop.alias, shop.runs, fallback=True)
    count = failing(client, monkeypatch, 1_000, UnexpectedResponse(401, "Unauthorized", b"", None))
    with pytest.raises(UnexpectedResponse):
        recommender.by_text(["red"])
    assert len(count) == 1


@pytest.mark.parametrize("given", ["slow", "dying"])
def test_a_server_that_gets_slow_or_dies(client, shop, given):
    """Remembered items are named at once it is given up, and searched ones again as soon as it is back."""
    if shop.qdrant.url is not None:
        pytest.skip("the embedded one stands behind the proxy")
    recommender = Recommender(client, shop.alias, shop.runs)
    asked = recommender.by_query_id("query-3", 3)
    collection, lineage = recommender.collection, recommender.lineage.as_metadata()
    remembered = Popular(client, collection)
    points = [{"id": row, "version": 0, "payload": payload} for row, payload in remembered._items]
    hits = [
        {"id": int(h.id[5:]), "version": 0, "score": h.score, "payload": {"id": h.id, "title": h.title}}
        for h in asked.hits
    ]
    info = client.get_collection(collection).model_dump(mode="json")
    info["config"]["metadata"] = lineage

    mode, ended = "well", threading.Event()

    def answer(_method: str, path: str) -> Reply:
        if mode == "slow":
            ended.wait()
        if mode != "well":
            return None
        result = {
            "/aliases": {"aliases": [{"alias_name": shop.alias, "collection_name": collection}]},
            f"/collections/{collection}": info,
            f"/collections/{collection}/points/scroll": {"points": points, "next_page_offset": None},
            f"/collections/{collection}/points/query": {"points": hits},
        }
        return as_qdrant(path, result[path])

    stamina.set_testing(True, attempts=1)
    with serving(answer) as url:
        there = QdrantClient(url=url, timeout=1, check_compatibility=False)
        asking = Recommender(there, shop.alias, shop.runs, fallback=True)
        assert ids(asking.by_query_id("query-3", 3)) == ids(asked)
        mode = given
        fallen = asking.by_query_id("query-3", 3)
        assert (ids(fallen), fallen.origin.way) == (POPULAR[:3], "popular")
        assert fallen.origin.because is not None
        assert fallen.origin.because.startswith("Qdrant does not answer: ")
        mode = "well"
        ended.set()
        assert asking.by_query_id("query-3", 3) == asked
        there.close()
