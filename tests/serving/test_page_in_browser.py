"""The page in a real browser: by keyboard alone, on a phone, light and dark, and without anything from elsewhere."""

from __future__ import annotations

import json
import threading
import time

import pytest
import uvicorn

TAB, ENTER = ("Tab", 9, ""), ("Enter", 13, "\r")
NASTY = "<img src=x onerror=\"document.title='hacked'\"> red lamp"
LUMINANCE = """
(() => {
  const numbers = getComputedStyle(document.body)[%r].match(/\\d+/g).slice(0, 3).map(Number);
  return (numbers[0] + numbers[1] + numbers[2]) / 3;
})()
"""


@pytest.fixture
def address(serving, shop, titled):
    """A server with a nasty title on a free port: (address, what is served)."""
    served = serving(titled(shop.run("a"), NASTY))
    server = uvicorn.Server(uvicorn.Config(served.http.app, port=0, lifespan="off", log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", served
    server.should_exit = True
    thread.join()


def test_search_and_click_by_keyboard(address, browser, shop):
    """Type, Enter, Tab to the first result, Enter: the item is shown and the click is logged."""
    url, served = address
    browser.open(url)
    assert browser.run("document.activeElement.id") == "q"
    browser.tell("Input.insertText", text="red lamp")
    browser.press(*ENTER)
    browser.loaded()
    assert browser.run("location.search") == "?q=red+lamp"
    assert browser.run("document.querySelectorAll('section ol > li').length") == 20
    passed = []
    while browser.run("document.activeElement.className") != "result":
        browser.press(*TAB)
        passed.append(browser.run("document.activeElement.textContent.trim()"))
        assert len(passed) < 10, passed
    assert passed[0] == "Skip to the results"
    title = browser.run("document.activeElement.textContent")
    browser.press(*ENTER)
    browser.loaded()
    assert browser.run("document.querySelector('h1').textContent") == title
    served.clicks.close()
    (log,) = (shop.workspace / "clicks").iterdir()
    row = json.loads(log.read_text(encoding="utf-8"))
    assert (row["query_text"], row["item_title"], row["rank"], row["shown"]) == ("red lamp", title, 1, "graph")


def test_nothing_runs_and_nothing_comes_from_elsewhere(address, browser):
    """A title with a script in it is text, and the page loads its style sheet and nothing else."""
    url, _ = address
    browser.open(f"{url}/?q=red+lamp&k=40")
    assert browser.run(f"[...document.querySelectorAll('.result')].some(e => e.textContent == {json.dumps(NASTY)})")
    assert browser.run("document.title") == "red lamp – recsys"
    assert browser.run("document.images.length") == 0
    loaded = browser.run("performance.getEntriesByType('resource').map(entry => entry.name)")
    assert loaded == [f"{url}/style.css"]


@pytest.mark.parametrize("path", ["/", "/?q=red+lamp&k=40", "/item?id=item-0&q=red+lamp", "/item?id=none"])
def test_a_phone_need_not_scroll_sideways(address, browser, path):
    """At a width of 375 pixels everything fits, one list below the other."""
    url, _ = address
    browser.look(width=375)
    browser.open(url + path)
    assert browser.run("document.documentElement.scrollWidth") == 375
    lists = browser.run("[...document.querySelectorAll('section')].map(s => s.getBoundingClientRect().left)")
    assert len({*lists}) == 1


def test_light_and_dark_follow_the_reader(address, browser):
    """Ink and ground are far apart in both, and change places."""
    url, _ = address
    for dark in (False, True):
        browser.look(width=1200, dark=dark)
        browser.open(f"{url}/?q=red+lamp")
        ground, ink = (browser.run(LUMINANCE % name) for name in ("backgroundColor", "color"))
        assert (ink > ground) is dark
        assert abs(ink - ground) > 150
