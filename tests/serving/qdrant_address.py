"""An address at which other processes ask Qdrant."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import ThreadingHTTPServer

import pytest
from qdrant_client import QdrantClient

from tests.serving.embedded_server import handler_of

Address = Callable[[QdrantClient], AbstractContextManager[str]]


@pytest.fixture
def address(shop) -> Address:
    """Give the address of the shop's server, or serve an embedded Qdrant by HTTP as a server does."""

    @contextmanager
    def serve(client: QdrantClient) -> Iterator[str]:
        if shop.qdrant.url is not None:
            yield shop.qdrant.url
            return
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(client))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    return serve
