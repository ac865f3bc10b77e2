"""What several tests of serving share: an address at which programs of any language ask Qdrant."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pydantic import TypeAdapter
from qdrant_client import QdrantClient, models

Address = Callable[[QdrantClient], AbstractContextManager[str]]

_TYPES: dict[str, Any] = {
    "query": models.Query | list[float] | int,
    "lookup_from": models.LookupLocation,
    "filter": models.Filter,
    "params": models.SearchParams,
}
_NAMES = {
    "query": {"filter": "query_filter", "params": "search_params", "with_vector": "with_vectors"},
    "scroll": {"filter": "scroll_filter", "with_vector": "with_vectors"},
}


@pytest.fixture
def address(shop) -> Address:
    """Give the address of the shop's server, or serve the shop's embedded Qdrant as a server serves these requests."""

    @contextmanager
    def serve(client: QdrantClient) -> Iterator[str]:
        if shop.qdrant.url is not None:
            yield shop.qdrant.url
            return
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(client))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    return serve


def _handler(client: QdrantClient) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _reply(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            whole = {"result": _answer(client, self.path, json.loads(sent or "{}")), "status": "ok", "time": 0}
            body = json.dumps(whole, separators=(",", ":")).encode()  # as the server does, without blanks
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _reply

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def _answer(client: QdrantClient, path: str, body: dict[str, Any]) -> Any:
    if path == "/":
        return {"title": "qdrant", "version": "1.20.0"}
    if path == "/aliases":
        return client.get_aliases().model_dump(mode="json")
    _, _, collection, _, kind = path.partition("?")[0].split("/")
    given = {
        _NAMES[kind].get(name, name): TypeAdapter(_TYPES[name]).validate_python(value) if name in _TYPES else value
        for name, value in body.items()
        if value is not None
    }
    if kind == "scroll":
        points, following = client.scroll(collection, **given)
        return {"points": [point.model_dump(mode="json") for point in points], "next_page_offset": following}
    return client.query_points(collection, **given).model_dump(mode="json")
