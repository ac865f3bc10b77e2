"""The page: both lists, their reasons, clicks that close the loop, and nothing that runs in a browser by itself."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from recsys.core.text import query_id
from recsys.ingest.held_out import read_held_out
from recsys.serving import plain
from recsys.serving.side_by_side import shared_words

NASTY = (
    "<script>alert('red')</script>",
    '"><img src=x onerror=alert(1)> red',
    "red {{ 7*7 }} {% raw %}",
    "javascript:alert(1) red",
    "red \u202e\u0000 & <b>lamp</b>",
)


class Markup(HTMLParser):
    """Collects tags with their attributes, and the texts of results."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.titles, self._inside = [], [], False
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        """Note it."""
        self.tags.append((tag, dict(attributes)))
        self._inside = "result" in dict(attributes).get("class", "")
        if self._inside:
            self.titles.append("")

    def handle_endtag(self, tag):
        """Leave it."""
        self._inside = False

    def handle_data(self, data):
        """Add it to the result it stands in."""
        if self._inside:
            self.titles[-1] += data


def columns(page):
    """Return the item ids of each list."""
    found = {}
    for shown in ("graph", "text"):
        inputs = re.findall(r'name="item" value="([^"]*)">.*?name="shown" value="(\w+)"', page, re.DOTALL)
        found[shown] = [item for item, column in inputs if column == shown]
    return found


def test_both_lists_are_shown(serving):
    """The first list is what the API answers, the second the nearest titles under the same encoder, by brute force."""
    served = serving()
    page = served.http.get("/", params={"q": "red lamp", "k": 6}).text
    model = SentenceTransformer(str(served.run.encoder_path), device="cpu")
    items = served.run.items()
    titles, query = model.encode(items.texts), model.encode(["red lamp"])[0]
    scores = titles @ query / np.linalg.norm(titles, axis=1)
    shown = [scores[items.ids.index(item)] for item in columns(page)["text"]]
    np.testing.assert_allclose(shown, np.sort(scores)[:-7:-1], atol=1e-5)
    answer = served.http.get("/recommend", params={"text": "red lamp", "k": 6}).json()
    assert columns(page)["graph"] == [hit["id"] for hit in answer["results"][0]["hits"]]
    assert "not in the first 6" in page
    assert "Both have “" in page


def test_the_second_list_says_why_it_is_missing(serving, monkeypatch):
    """Too many items to encode for a comparison, and an encoder that fails, leave the first list as it is."""
    monkeypatch.setattr(plain, "MOST", 39)
    served = serving()
    page = served.http.get("/", params={"q": "red lamp"}).text
    assert "more than 39 items" in page
    assert (len(columns(page)["graph"]), columns(page)["text"]) == (10, [])


def test_unknown_words_are_said_to_be_unknown(serving):
    """Neither list makes something up."""
    page = serving().http.get("/", params={"q": "xyzzy"}).text
    assert page.count("knows no word") == 2
    assert columns(page) == {"graph": [], "text": []}


def test_popular_items_are_said_to_be_popular(serving):
    """Where the server may fall back, the page and the API say that it did, and why."""
    served = serving(fallback=True)
    (result,) = served.http.get("/recommend", params={"text": "xyzzy"}).json()["results"]
    assert (result["origin"]["way"], result["hits"][0]["id"]) == ("popular", "item-39")
    page = served.http.get("/", params={"q": "xyzzy"}).text
    assert "The first list is of popular items, because" in page
    assert columns(page)["graph"][0] == "item-39"


def test_a_click_closes_the_loop(serving, shop):
    """Clicks are logged with the graph's id of a known query, and ingest's own reader takes the log without flags."""
    served = serving()
    known = served.run.queries().texts[4].upper()
    for text, item, shown in ((known, "item-3", "graph"), ("red lamp", "item-5", "text")):
        form = {"q": text, "item": item, "rank": 2, "shown": shown, "collection": served.run.name}
        there = served.http.post("/click", data=form)
        assert (there.status_code, there.url.path, there.url.params["id"]) == (200, "/item", item)
        assert "Back to the results for" in there.text
    assert "recsys_clicks_total 2.0" in served.http.get("/metrics").text
    served.clicks.close()
    (log,) = (shop.workspace / "clicks").iterdir()
    rows = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert rows[0]["session"] == rows[1]["session"] != ""
    assert [(row["rank"], row["shown"], row["collection"]) for row in rows] == [
        (2, "graph", served.run.name),
        (2, "text", served.run.name),
    ]
    assert read_held_out(str(log), {}).kept == [
        ("query-4", known, "item-3"),
        (query_id("red lamp"), "red lamp", "item-5"),
    ]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"item": "item-99"}, 404),
        ({"q": ""}, 422),
        ({"rank": 0}, 422),
        ({"shown": "<b>"}, 422),
        ({"q": "x" * 2_001}, 422),
    ],
)
def test_a_click_that_cannot_be_is_not_logged(serving, shop, change, status):
    """Items that are not there and made-up forms leave no row."""
    served = serving()
    form = {"q": "red", "item": "item-1", "rank": 1, "shown": "graph", "collection": "c", **change}
    assert served.http.post("/click", data=form).status_code == status
    assert not (shop.workspace / "clicks").exists()


def test_another_site_cannot_click(serving):
    """A form of another page, sent by somebody's browser, is refused."""
    form = {"q": "red", "item": "item-1", "rank": 1, "shown": "graph", "collection": "c"}
    answer = serving().http.post("/click", data=form, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


def test_everything_is_escaped(serving, shop, titled):
    """Titles, payload, ids and queries that are markup are shown as they are and become no tag and no attribute."""
    run = titled(shop.run("a"), *NASTY, payload={"<i>": NASTY[0], "url": "javascript:alert(1)", "tags": [NASTY[1]]})
    served = serving(run)
    plain_tags = {tag for path in ("/?q=red", "/item?id=item-9") for tag, _ in Markup(served.http.get(path).text).tags}
    for text in ("red", *NASTY):
        for path, params in (("/", {"q": text, "k": 40}), ("/item", {"id": "item-1", "q": text})):
            answer = served.http.get(path, params=params)
            page = Markup(answer.text)
            assert {tag for tag, _ in page.tags} <= plain_tags
            assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
            assert all((a.get("href") or "/")[0] in "/#d" and a.get("href") != NASTY[3] for _, a in page.tags)
            assert "49" not in [title.strip() for title in page.titles]
            assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'")
    shown = Markup(served.http.get("/", params={"q": "red", "k": 40}).text).titles
    assert {title.replace("\0", "\ufffd") for title in NASTY} <= {title.replace("\0", "\ufffd") for title in shown}


def test_links_of_items_are_links(serving, shop, titled):
    """A payload's address is a link that tells the other side nothing."""
    served = serving(titled(shop.run("a"), payload={"url": "https://shop.example.org/?a=1&b=2"}))
    page = served.http.get("/item", params={"id": "item-2"}).text
    assert '<a href="https://shop.example.org/?a=1&amp;b=2" rel="noopener noreferrer">' in page


def test_failures_are_pages_too(serving):
    """An item that is not there is a page for people, with the status for programs."""
    answer = serving().http.get("/item", params={"id": "item-1x"})
    assert answer.status_code == 404
    assert "text/html" in answer.headers["Content-Type"]
    assert "item-1" in answer.text


def test_shared_words_are_those_of_the_title():
    """Case and form do not matter; each word is named once."""
    assert shared_words("RED  lamp", "Red lamp, red Lamp") == ("Red", "lamp")
    assert shared_words("blue", "Red lamp") == ()
