"""Asking by HTTP: the answers of a Recommender, and each kind of trouble under a status of its own."""

from __future__ import annotations

import pytest

from recsys.serving.listing import Listing, PerGroup
from recsys.serving.recommend import Recommender


def hits(answer):
    """Return the ids of each result of an answer."""
    assert answer.status_code == 200, answer.text
    return [[hit["id"] for hit in result["hits"]] for result in answer.json()["results"]]


@pytest.fixture
def served(serving):
    """A served shop."""
    return serving()


def test_the_answers_are_those_of_a_recommender(served):
    """Texts, query ids and items get the same hits, ranks and scores by HTTP as in Python, and their lineage."""
    recommender = Recommender(served.qdrant, served.shop.alias, served.shop.runs)
    answer = served.http.get("/recommend", params={"text": ["red lamp", "oak"], "k": 3}).json()
    (red, oak) = recommender.by_text(["red lamp", "oak"], 3)
    assert [hit["id"] for hit in answer["results"][0]["hits"]] == [hit.id for hit in red.hits]
    assert [hit["score"] for hit in answer["results"][1]["hits"]] == pytest.approx([hit.score for hit in oak.hits])
    assert (answer["alias"], answer["collection"]) == (served.shop.alias, served.run.name)
    assert answer["lineage"]["encoder_hash"] == served.run.manifest["encoder_hash"]
    by_id = served.http.get("/recommend", params={"query_id": ["query-1", "query-2"], "k": 4})
    assert hits(by_id) == [[hit.id for hit in r.hits] for r in recommender.by_query_ids(["query-1", "query-2"], 4)]
    alike = served.http.get("/similar", params={"item": ["item-1", "item-2"], "not_like": "item-3", "k": 5})
    assert hits(alike) == [[hit.id for hit in recommender.by_items(["item-1", "item-2"], ["item-3"], 5).hits]]


def test_histories_are_asked_and_lists_are_shaped(served):
    """A history is one question, and pages, limits per group and diversity are those of a Recommender."""
    recommender = Recommender(served.qdrant, served.shop.alias, served.shop.runs)
    params = {"text": "red", "query_id": "query-1", "item": ["item-1", "item-2"], "k": 4, "offset": 2}
    listing = Listing(2, 0.5, PerGroup("brand", 2))
    found = served.http.get("/history", params={**params, "diversity": 0.5, "per_group": "brand=2"})
    wanted = recommender.by_history(["red"], ["query-1"], ["item-1", "item-2"], 4, listing=listing)
    assert hits(found) == [[hit.id for hit in wanted.hits]]
    assert found.json()["results"][0]["origin"]["way"] == "vector"
    pages = [hits(served.http.get("/recommend", params={"text": "red", "k": 3, "offset": n})) for n in (0, 3)]
    assert [pages[0][0] + pages[1][0]] == hits(served.http.get("/recommend", params={"text": "red", "k": 6}))


def test_hits_are_narrowed(served):
    """Filters hold together and excluded items are left out."""
    params = {"text": "red", "k": 50, "filter": ["brand=b1", "clicks>=10"], "exclude": "item-13"}
    assert {*hits(served.http.get("/recommend", params=params))[0]} == {
        f"item-{n}" for n in range(10, 40, 3) if n != 13
    }


@pytest.mark.parametrize(
    ("path", "status", "error", "word"),
    [
        ("/recommend", 400, "UsageError", "text or query_id"),
        ("/recommend?text=red&query_id=query-1", 400, "UsageError", "text or query_id"),
        ("/history", 400, "UsageError", "/history?text="),
        ("/recommend?text=red&per_group=brand", 400, "BadListingError", "brand=2"),
        ("/recommend?text=red&diversity=2", 422, "InvalidRequest", "diversity: "),
        ("/recommend?text=red&filter=brand", 400, "BadConditionError", "'brand'"),
        ("/recommend?query_id=query-1x", 404, "UnknownIdError", "'query-1'"),
        ("/similar?item=item-1x", 404, "UnknownIdError", "item-1x"),
        ("/recommend?text=red&k=0", 422, "InvalidRequest", "k: "),
        ("/recommend?text=red&k=many", 422, "InvalidRequest", "k: "),
        ("/recommend?text=" + "x" * 2_001, 422, "InvalidRequest", "text.0: "),
        ("/similar", 422, "InvalidRequest", "item: "),
        ("/recommended", 404, "NotFound", "Not Found"),
    ],
)
def test_trouble_has_a_status_and_one_form(served, path, status, error, word):
    """The caller's mistakes are 400, 404 or 422, as JSON with a kind for programs and a message for people."""
    answer = served.http.get(path)
    assert answer.status_code == status
    assert answer.json().keys() == {"error", "message"}
    assert answer.json()["error"] == error
    assert word in answer.json()["message"]


def test_what_a_caller_cannot_mend_is_503(served, monkeypatch):
    """A collection that somebody deleted is no fault of the request, which may be sent again."""
    served.qdrant.delete_collection(served.run.name)
    answer = served.http.get("/recommend", params={"text": "red"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json()["error"] in ("CollectionGoneError", "NothingPublishedError")
    assert "`recsys publish" in answer.json()["message"]


def test_a_bug_is_500_in_the_same_form(served, monkeypatch):
    """Whatever nobody thought of is JSON too, without its inside."""
    monkeypatch.setattr(Recommender, "by_text", lambda *_, **__: 1 / 0)
    answer = served.http.get("/recommend", params={"text": "red"})
    assert answer.status_code == 500
    assert answer.json()["error"] == "InternalError"
    assert "division" not in answer.text


def test_openapi_has_the_types(served):
    """Programs can be generated from /openapi.json: answers, problems, and how to send the key."""
    spec = served.http.get("/openapi.json").json()
    found = spec["paths"]["/recommend"]["get"]
    assert found["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].endswith("/Answer")
    assert found["responses"]["422"]["content"]["application/json"]["schema"]["$ref"].endswith("/Problem")
    assert {"APIKeyHeader": []} in found["security"]
    assert {"rank", "score", "id", "title"} <= spec["components"]["schemas"]["Hit"]["properties"].keys()
    assert "/click" not in spec["paths"]


def test_probes(served):
    """Alive is alive; ready is that Qdrant answers and the alias is there, and else it is said why not."""
    assert served.http.get("/healthz").json() == {"alive": True}
    ready = served.http.get("/readyz")
    assert (ready.status_code, ready.json()["ready"], ready.json()["collection"]) == (200, True, served.run.name)


def test_metrics_count_routes_not_paths(served):
    """Requests are counted by declared route and status, so that callers cannot make up series."""
    for path in ("/recommend?text=red", "/recommend?text=oak", "/recommend", "/made/up", "/made/up/too"):
        served.http.get(path)
    told = served.http.get("/metrics").text
    assert 'recsys_requests_total{route="/recommend",status="200"} 2.0' in told
    assert 'recsys_requests_total{route="/recommend",status="400"} 1.0' in told
    assert 'recsys_requests_total{route="unknown",status="404"} 2.0' in told
    assert 'recsys_request_seconds_count{route="/recommend"} 3.0' in told
    assert f'collection="{served.run.name}"' in told
    assert "made" not in told
