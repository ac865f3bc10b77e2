"""The key: without it nobody else than this machine gets an answer, and no other machine can be let in without one."""

from __future__ import annotations

import base64

import pytest

from recsys.serving.access import KeyMissingError, check_host, is_loopback

KEY = "a key of 16 characters or more"
GUARDED = ("/recommend?text=red", "/similar?item=item-1", "/metrics", "/", "/item?id=item-1")
OPEN = ("/healthz", "/readyz", "/style.css", "/openapi.json")


def as_password(key):
    """Return what a browser sends after it asked for the key."""
    return {"Authorization": "Basic " + base64.b64encode(f"anybody:{key}".encode()).decode()}


def test_a_key_is_needed_where_there_is_one(serving):
    """Three ways to send it, any of which will do; what asks whether the server lives needs none."""
    http = serving(key=KEY, host="shop.example.org").http
    for path in GUARDED:
        refused = http.get(path)
        assert refused.status_code == 401
        assert refused.headers["WWW-Authenticate"].startswith("Basic")
        assert refused.json()["error"] == "Unauthorized"
        for headers in ({"X-API-Key": KEY}, {"Authorization": f"Bearer {KEY}"}, as_password(KEY)):
            assert http.get(path, headers=headers).status_code == 200
    assert [http.get(path).status_code for path in OPEN] == [200] * len(OPEN)
    click = {"q": "red", "item": "item-1", "rank": 1, "shown": "graph", "collection": "c"}
    assert http.post("/click", data=click).status_code == 401


@pytest.mark.parametrize("wrong", ["", KEY[:-1], KEY + "x", KEY.upper(), "schlüssel".encode()])
def test_a_wrong_key_is_none(serving, wrong):
    """Part of the key, more than the key, and letters beyond ASCII are refused as nothing is."""
    http = serving(key=KEY, host="shop.example.org").http
    assert http.get(GUARDED[0], headers={"X-API-Key": wrong}).status_code == 401


def test_without_a_key_there_is_localhost_only(serving):
    """A name that only leads here, as in DNS rebinding, is refused; so it cannot carry a page's requests."""
    served = serving(host="evil.example.org")
    assert [served.http.get(path).status_code for path in GUARDED] == [421] * len(GUARDED)
    for name in ("localhost:8000", "127.0.0.1:8000", "[::1]:8000"):
        assert served.http.get("/recommend?text=red", headers={"Host": name}).status_code == 200


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.8.9.1", True), ("::1", True), ("LocalHost", True), ("0.0.0.0", False), ("::", False)],  # noqa: S104
)
def test_only_loopback_goes_without_a_key(host, loopback):
    """Listening elsewhere without a key is refused before anything starts."""
    assert is_loopback(host) is loopback
    check_host(host, KEY)
    if loopback:
        check_host(host, None)
    else:
        with pytest.raises(KeyMissingError, match="RECSYS_SERVE__API_KEY"):
            check_host(host, None)
