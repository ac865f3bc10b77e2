"""Puts the routes together into one application."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from recsys.core.errors import RecsysError
from recsys.serving import api, page, probes, problems
from recsys.serving.at_hand import GraphAtHand
from recsys.serving.click_log import ClickLog
from recsys.serving.meters import Meters
from recsys.serving.served import Follower
from recsys.serving.site import Site

log = logging.getLogger(__name__)

DESCRIPTION = "Items for any text, for known queries and for items, from the collection that is live."
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
"Of every answer: a page can neither run a script nor load, send to or be shown in anything else."


def make_app(
    follower: Follower, clicks: ClickLog, graph: GraphAtHand, *, key: str | None = None, every: float = 2.0
) -> FastAPI:
    """Return the application.

    Args:
        follower: Answers.
        clicks: Where clicks on the page go; closed in the end.
        graph: Where reasons come from; closed in the end.
        key: API key that callers have to know; None where the address is loopback.
        every: Seconds between looks at the alias.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        watching = asyncio.create_task(_watch(follower, clicks, every))
        yield
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        clicks.close()
        graph.close()

    # the usual pages of documentation load their scripts from elsewhere; /openapi.json says all of it
    app = FastAPI(
        title="recsys",
        version=version("recsys"),
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.site = Site(follower, clicks, graph, Meters(follower, clicks), key)
    for part in (api.router, probes.router, page.router):
        app.include_router(part)
    app.add_exception_handler(RecsysError, problems.on_our_error)
    app.add_exception_handler(RequestValidationError, problems.on_invalid)
    app.add_exception_handler(HTTPException, problems.on_http_error)
    app.add_exception_handler(Exception, problems.on_bug)
    app.middleware("http")(_measure)
    return app


async def _watch(follower: Follower, clicks: ClickLog, every: float) -> None:
    while True:
        await asyncio.sleep(every)
        try:
            await run_in_threadpool(follower.tick)
            await run_in_threadpool(clicks.turn)
        except Exception:  # such as a full disk: the next look may fare better, and requests are still answered
            log.exception("looking at the alias and the click log failed")


async def _measure(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
    started, status = time.perf_counter(), 500
    try:
        response = await answer(request)
        status = response.status_code
        response.headers.update(HEADERS)
        return response
    finally:
        route = getattr(request.scope.get("route"), "path", "unknown")
        site: Site = request.app.state.site
        site.meters.count(route, status, time.perf_counter() - started)
