"""Errors as a caller by HTTP gets them: which status, and one form for all of them."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from recsys.core.errors import RecsysError, UsageError
from recsys.serving.recommendation import UnknownIdError

RETRY_SECONDS = 5
"What callers are told to wait where the cause is not the request."


class Problem(BaseModel):
    """Why there is no answer.

    Attributes:
        error: Kind of the problem, for programs.
        message: What is wrong, and what to do, for people.
    """

    error: str
    message: str


PROBLEMS: dict[int | str, dict[str, object]] = {
    400: {"model": Problem, "description": "The question makes no sense, such as a filter that cannot be read."},
    401: {"model": Problem, "description": "The API key is missing or wrong."},
    404: {"model": Problem, "description": "No query or item has this id."},
    422: {"model": Problem, "description": "A parameter is missing, or has a value that is not allowed."},
    503: {"model": Problem, "description": "Qdrant, or the run behind the live collection, is out of reach."},
}
"What routes that answer questions may answer besides, for OpenAPI."


def status_of(error: RecsysError) -> int:
    """Return 404 for an unknown id, 400 for any other wrong question, 503 for what a caller cannot mend."""
    if isinstance(error, UnknownIdError):
        return HTTPStatus.NOT_FOUND
    return HTTPStatus.BAD_REQUEST if isinstance(error, UsageError) else HTTPStatus.SERVICE_UNAVAILABLE


def problem(status: int, kind: str, message: str, headers: dict[str, str] | None = None) -> Response:
    """Return the answer to a request that has none; after a 503 the caller may try again."""
    headers = dict(headers or {})
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_SECONDS)
    return JSONResponse(Problem(error=kind, message=message).model_dump(), status, headers)


def explain_invalid(error: RequestValidationError) -> str:
    """Return in one line which parameters are not allowed, and why."""
    return "; ".join(f"{'.'.join(map(str, part['loc'][1:]))}: {part['msg']}" for part in error.errors())


async def on_our_error(_: Request, error: Exception) -> Response:
    """Answer for a RecsysError."""
    assert isinstance(error, RecsysError)  # noqa: S101 - registered for nothing else
    return problem(status_of(error), type(error).__name__, str(error))


async def on_invalid(_: Request, error: Exception) -> Response:
    """Answer for parameters that are not allowed."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for nothing else
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "InvalidRequest", explain_invalid(error))


async def on_http_error(_: Request, error: Exception) -> Response:
    """Answer for what the router refuses."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for nothing else
    kind = "".join(HTTPStatus(error.status_code).phrase.split())
    return problem(error.status_code, kind, error.detail, dict(error.headers or {}))


async def on_bug(_: Request, error: Exception) -> Response:
    """Answer for anything else; the server logs it."""
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR, "InternalError", f"{type(error).__name__}; the server's log says more"
    )
