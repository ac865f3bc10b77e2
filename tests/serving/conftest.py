"""What several tests of serving share: a served shop, an address at which to ask Qdrant, and a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.serving.qdrant_address import address
from tests.serving.real_browser import browser

if TYPE_CHECKING:
    from fastapi.testclient import TestClient
    from qdrant_client import QdrantClient

    from recsys.core.run import Run
    from recsys.graph.client import Graph
    from recsys.serving.click_log import ClickLog
    from recsys.serving.served import Follower

__all__ = ["address", "browser"]

KEY = "a key of 16 characters or more"


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
