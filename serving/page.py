"""The page for people: a search box, results with and without graph side by side, and items; HTML without a script."""

from __future__ import annotations

import secrets
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Cookie, Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.datastructures import URL

from recsys.core.errors import RecsysError
from recsys.serving.access import allow, same_site
from recsys.serving.api import LONGEST
from recsys.serving.click_log import Click
from recsys.serving.problems import status_of
from recsys.serving.served import Served
from recsys.serving.side_by_side import compare
from recsys.serving.site import SiteOf

SIMILAR = 10
TEMPLATES = Path(__file__).parent / "templates"

router = APIRouter(include_in_schema=False)
_pages = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True)

Asked = Annotated[str, Query(max_length=LONGEST)]
Filled = Annotated[str, Form(min_length=1, max_length=LONGEST)]


@router.get("/", dependencies=[Depends(allow)])
def search(site: SiteOf, q: Asked = "", k: Annotated[int, Query(ge=1, le=100)] = 10) -> HTMLResponse:
    """Show the search box and, for a text, what is found with and without the graph."""
    text = q.strip()

    def look(served: Served) -> dict[str, Any]:
        found = compare(served, site.graph, text, k) if text else None
        if found is None:
            served.plain.start()  # by the time that somebody has typed something it may be ready
        return {"live": served.recommender, "found": found, "q": q, "k": k}

    return _answer(site, "search.html", look, q)


@router.get("/item", dependencies=[Depends(allow)])
def item(site: SiteOf, id: Annotated[str, Query(min_length=1, max_length=LONGEST)], q: Asked = "") -> HTMLResponse:  # noqa: A002
    """Show an item, and items like it."""

    def look(served: Served) -> dict[str, Any]:
        payload = served.recommender.item(id).payload
        similar = served.recommender.by_item(id, SIMILAR).hits
        return {"live": served.recommender, "payload": payload, "similar": similar, "q": q}

    return _answer(site, "item.html", look, q)


@router.post("/click", dependencies=[Depends(allow), Depends(same_site)])
def click(
    request: Request,
    site: SiteOf,
    q: Filled,
    item: Filled,
    rank: Annotated[int, Form(ge=1, le=1_000)],
    shown: Annotated[str, Form(pattern="^(graph|text)$")],
    collection: Filled,
    session: Annotated[str | None, Cookie(max_length=64)] = None,
) -> Response:
    """Log a click on a result, then show the item; an item that is not there is not logged."""
    session = session or secrets.token_urlsafe(12)
    try:
        query_id, found = site.follower.ask(
            lambda served: (served.recommender.questions.id_of(q), served.recommender.item(item))
        )
    except RecsysError as error:
        return _failure(site, error, q)
    site.clicks.add(Click(query_id, q, item, found.title, session, site.clicks.now(), rank, shown, collection))
    there = URL("/item").include_query_params(id=item, q=q)
    answer = RedirectResponse(str(there), HTTPStatus.SEE_OTHER)
    answer.set_cookie("session", session, httponly=True, samesite="strict", secure=request.url.scheme == "https")
    return answer


@router.get("/style.css")
def style() -> Response:
    """Return the style sheet, which tells nothing and so needs no key."""
    return Response(_STYLE, media_type="text/css", headers={"Cache-Control": "max-age=300"})


def _answer(site: SiteOf, template: str, look: Any, q: str) -> HTMLResponse:
    try:
        return HTMLResponse(_pages.get_template(template).render(**site.follower.ask(look)))
    except RecsysError as error:
        return _failure(site, error, q)


def _failure(site: SiteOf, error: RecsysError, q: str) -> HTMLResponse:
    shown = _pages.get_template("failure.html").render(live=site.follower.served.recommender, message=str(error), q=q)
    return HTMLResponse(shown, status_of(error))


_STYLE = (TEMPLATES / "style.css").read_text(encoding="utf-8")
