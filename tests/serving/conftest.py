"""What tests of `recsys serve` share: a served shop, and a real browser."""

from __future__ import annotations

import base64
import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from fastapi.testclient import TestClient
    from qdrant_client import QdrantClient

    from recsys.core.run import Run
    from recsys.graph.client import Graph
    from recsys.serving.click_log import ClickLog
    from recsys.serving.served import Follower

AS_3_AND_4 = """
import fcntl, os, sys
high = [fcntl.fcntl(int(pipe), fcntl.F_DUPFD, 10) for pipe in sys.argv[1:3]]
os.dup2(high[0], 3), os.dup2(high[1], 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
"Gives a browser its two pipes where it looks for them."


@dataclass
class Served:
    """A shop whose first run is live and served."""

    shop: Any
    run: Run
    qdrant: QdrantClient
    follower: Follower
    clicks: ClickLog
    http: TestClient

    def publish(self, run: Run) -> None:
        """Make another run live, and let the follower notice."""
        from recsys.serving.publish import publish

        publish(self.qdrant, run, self.shop.alias, embedded=self.shop.embedded)
        self.follower.tick()


@pytest.fixture
def serving(shop: Any) -> Iterator[Callable[..., Served]]:
    """Serve a shop's run ``a``, or the run that is given, to somebody on this machine."""
    from fastapi.testclient import TestClient

    from recsys.serving.app import make_app
    from recsys.serving.at_hand import GraphAtHand
    from recsys.serving.click_log import ClickLog
    from recsys.serving.publish import publish
    from recsys.serving.served import Follower

    with ExitStack() as stack:

        def begin(
            run: Run | None = None,
            *,
            key: str | None = None,
            host: str = "localhost",
            graph: Graph | None = None,
            fallback: bool = False,
        ) -> Served:
            run = run or shop.run("a")
            qdrant = stack.enter_context(shop.connect())
            publish(qdrant, run, shop.alias, embedded=shop.embedded)
            follower = Follower(qdrant, shop.qdrant, shop.runs, fallback=fallback)
            clicks = ClickLog(shop.workspace / "clicks", minutes=10)
            app = make_app(follower, clicks, GraphAtHand(lambda: graph), key=key, every=3600)
            http = TestClient(app, base_url=f"http://{host}", raise_server_exceptions=False)
            return Served(shop, run, qdrant, follower, clicks, stack.enter_context(http))

        yield begin


@pytest.fixture
def titled() -> Callable[..., Run]:
    """Give the first items of a run other titles, and further columns."""
    from recsys.core.run import write_table

    def give(run: Run, *titles: str, payload: dict[str, Any] | None = None) -> Run:
        items = run.items()
        texts = [*titles, *items.texts[len(titles) :]]
        payloads = [{**found, **(payload or {})} for found in items.payloads]
        write_table(run.path / "items.parquet", replace(items, texts=texts, payloads=payloads))
        return run

    return give


class Browser:
    """A Chromium without a screen, told what to do through a pipe (Chrome DevTools Protocol)."""

    def __init__(self, orders: int, answers: int) -> None:
        self._orders = os.fdopen(orders, "wb", buffering=0)
        self._answers = os.fdopen(answers, "rb")
        self._numbers = itertools.count(1)
        self._session: str | None = None
        target = self.tell("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.tell("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime"):
            self.tell(f"{domain}.enable")

    def tell(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result."""
        number = next(self._numbers)
        order = {"id": number, "method": method, "params": parameters}
        if self._session:
            order["sessionId"] = self._session
        self._orders.write(json.dumps(order).encode() + b"\0")
        return self._until(lambda message: message.get("id") == number)["result"]  # type: ignore[no-any-return]

    def open(self, url: str) -> None:
        """Go to a page and wait until it is there."""
        self.tell("Page.navigate", url=url)
        self.loaded()

    def loaded(self) -> None:
        """Wait until the page that was begun is there."""
        self._until(lambda message: message.get("method") == "Page.loadEventFired")

    def run(self, script: str) -> Any:
        """Return the value of a JavaScript expression on the page."""
        return self.tell("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")

    def press(self, key: str, code: int, text: str = "") -> None:
        """Press and release a key."""
        common = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        self.tell("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        self.tell("Input.dispatchKeyEvent", type="keyUp", **common)

    def look(self, *, width: int, dark: bool = False) -> None:
        """Be so many pixels wide, and prefer light or dark."""
        self.tell(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.tell("Emulation.setEmulatedMedia", features=[scheme])

    def screenshot(self, path: Path) -> None:
        """Write the whole page as a PNG."""
        shot = self.tell("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def _until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while True:
            message: dict[str, Any] = json.loads(self._next())
            if wanted(message):
                return message

    def _next(self) -> bytes:
        read = bytearray()
        while (byte := self._answers.read(1)) != b"\0":
            assert byte, "the browser is gone"
            read += byte
        return bytes(read)


@contextmanager
def _browser(program: str, home: Path) -> Iterator[Browser]:
    (read_orders, orders), (answers, write_answers) = os.pipe(), os.pipe()
    switches = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-pipe"]
    into = [sys.executable, "-SEc", AS_3_AND_4, str(read_orders), str(write_answers), program]
    started = subprocess.Popen(
        [*into, *switches, f"--user-data-dir={home}"], pass_fds=(read_orders, write_answers), stderr=subprocess.DEVNULL
    )
    os.close(read_orders)
    os.close(write_answers)
    try:
        yield Browser(orders, answers)
    finally:
        started.terminate()
        started.wait()


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    """A real browser."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        pytest.skip("no chromium and no google-chrome is on PATH")
    with _browser(program, tmp_path / "browser") as opened:
        yield opened
