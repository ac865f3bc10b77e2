"""An address at which other processes ask Qdrant."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from qdrant_client import QdrantClient

from tests.serving.embedded_server import handler_of
from tests.serving.http_stub import listening

Address = Callable[[QdrantClient], AbstractContextManager[str]]


@pytest.fixture
def address(shop) -> Address:
    """Give the address of the shop's server, or serve an embedded Qdrant by HTTP as a server does."""

    @contextmanager
    def serve(client: QdrantClient) -> Iterator[str]:
        if shop.qdrant.url is not None:
            yield shop.qdrant.url
            return
        with listening(handler_of(client)) as url:
            yield url

    return serve
