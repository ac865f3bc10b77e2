"""What goes wrong with Qdrant, in our words, and whether the same request may succeed later."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from httpx import ReadTimeout, WriteTimeout
from pydantic import ValidationError
from qdrant_client.common.client_exceptions import ResourceExhaustedResponse
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from recsys.core.errors import ServiceError
from recsys.core.settings import QdrantSettings


class QdrantUnreachableError(ServiceError):
    """Nothing answers at ``qdrant.url``, or not in time."""

    def __init__(self, url: str, reason: str) -> None:
        self.url = url
        super().__init__(
            f"cannot reach Qdrant at {url}: {reason}; start it (`recsys up --qdrant` the managed one) or correct "
            "qdrant.url (`recsys config show` shows it), then run the same command again"
        )


class QdrantSlowError(ServiceError):
    """Qdrant took the request and did not answer in time."""

    def __init__(self, url: str, seconds: int) -> None:
        self.url = url
        self.seconds = seconds
        super().__init__(
            f"Qdrant at {url} did not answer within {seconds} s; look at its load, or set qdrant.timeout to more "
            f"seconds (RECSYS_QDRANT__TIMEOUT={2 * seconds}), then run the same command again"
        )


class CollectionGoneError(ServiceError):
    """A collection was deleted while it was in use."""

    def __init__(self, collection: str) -> None:
        self.collection = collection
        super().__init__(
            f"the collection {collection!r} is no longer in Qdrant; `recsys collections` shows what is left, and "
            "`recsys publish RUN` makes the collection of a run again"
        )


class QdrantRefusedError(ServiceError):
    """Qdrant, or whatever listens at ``qdrant.url``, answers but does not do what we ask."""

    def __init__(self, url: str, status: int | None, reason: str) -> None:
        self.url = url
        self.status = status
        advice = "`recsys doctor` checks the server"
        if status in (401, 403):
            advice = "set RECSYS_QDRANT__API_KEY to a key that may read and write there"
        super().__init__(f"Qdrant at {url} refuses ({status or 'not an answer of Qdrant'}): {reason}; {advice}")


def is_transient(error: Exception) -> bool:
    """Say whether the same request may succeed a little later."""
    if isinstance(error, ResponseHandlingException):
        return not isinstance(error.source, ValidationError)
    if isinstance(error, UnexpectedResponse):
        return error.status_code is not None and (error.status_code == 429 or error.status_code >= 500)
    return isinstance(error, ResourceExhaustedResponse)


@contextmanager
def is_there(collection: str) -> Iterator[None]:
    """Say which collection is missing, where a request inside the block finds that it is.

    Raises:
        CollectionGoneError: It was deleted.
    """
    try:
        yield
    except UnexpectedResponse as error:
        if error.status_code != HTTPStatus.NOT_FOUND:
            raise
        raise CollectionGoneError(collection) from error
    except ValueError as error:  # of embedded mode
        if f"Collection {collection} not found" not in str(error):
            raise
        raise CollectionGoneError(collection) from error


@contextmanager
def in_our_words(settings: QdrantSettings) -> Iterator[None]:
    """Turn what goes wrong with a server inside the block into errors of ours, as :func:`connect` does around it.

    Raises:
        QdrantUnreachableError: Nothing answers at ``url``.
        QdrantSlowError: An answer did not come within ``timeout``.
        QdrantRefusedError: Wrong API key, or any other refusal.
    """
    url = str(settings.url)
    try:
        yield
    except UnexpectedResponse as error:
        raise QdrantRefusedError(url, error.status_code, _reason(error)) from error
    except ResourceExhaustedResponse as error:
        raise QdrantRefusedError(url, 429, str(error)) from error
    except ResponseHandlingException as error:
        if isinstance(error.source, ValidationError):
            raise QdrantRefusedError(url, None, "its answer has another form") from error
        if isinstance(error.source, ReadTimeout | WriteTimeout):
            raise QdrantSlowError(url, settings.timeout) from error
        raise QdrantUnreachableError(url, str(error.source) or type(error.source).__name__) from error


def _reason(error: UnexpectedResponse) -> str:
    try:
        return str(json.loads(error.content)["status"]["error"])
    except (ValueError, KeyError, TypeError):
        return error.content[:200].decode(errors="replace").strip() or error.reason_phrase
