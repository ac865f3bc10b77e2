"""Embedded Qdrant behind the requests that recsys and its clients make of a server: it searches, stores and survives.

As a program it takes the configuration of a managed server: python embedded_server.py --config-path=FILE
"""

from __future__ import annotations

import json
import sys
import threading
import warnings
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from qdrant_client import QdrantClient, models


def handler_of(client: QdrantClient, api_key: str = "") -> type[BaseHTTPRequestHandler]:
    """Return what answers from ``client``, to all or to those who know the key."""
    one_at_a_time = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def _reply(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}"
            if api_key not in ("", self.headers.get("api-key")):
                self.send_error(401)
                return
            with one_at_a_time:
                status, result = _answer(client, self.command, self.path.partition("?")[0], sent)
            whole = result if self.path == "/" else {"result": result, "status": "ok", "time": 0}
            body = json.dumps(whole, separators=(",", ":")).encode()  # as the server does, without blanks
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")  # Java takes HTTP/1.0 for a connection that stays open
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _reply

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def _answer(client: QdrantClient, method: str, path: str, sent: bytes) -> tuple[int, Any]:
    """Return status and result of a request."""
    if path == "/":
        return 200, {"title": "qdrant", "version": "1.20.0"}
    _, *words = path.split("/")
    try:
        if words == ["aliases"]:
            return 200, _plain(client.get_aliases())
        if words == ["collections"]:
            return 200, _plain(client.get_collections())
        if words == ["collections", "aliases"]:
            actions = models.ChangeAliasesOperation.model_validate_json(sent).actions
            return 200, client.update_collection_aliases(actions)
        _, collection, *kind = words
        return 200, _plain(_ASKED[method, *kind](client, collection, sent))
    except ValueError as error:  # of embedded mode, where a collection is missing
        return 404, str(error)


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value


def _create(client: QdrantClient, collection: str, sent: bytes) -> bool:
    asked = models.CreateCollection.model_validate_json(sent)
    return client.create_collection(collection, vectors_config=asked.vectors, metadata=asked.metadata)


def _update(client: QdrantClient, collection: str, sent: bytes) -> bool:
    return client.update_collection(collection, metadata=models.UpdateCollection.model_validate_json(sent).metadata)


def _upsert(client: QdrantClient, collection: str, sent: bytes) -> Any:
    return client.upsert(collection, models.PointsBatch.model_validate_json(sent).batch)


def _retrieve(client: QdrantClient, collection: str, sent: bytes) -> Any:
    asked = models.PointRequest.model_validate_json(sent)
    return client.retrieve(collection, asked.ids, asked.with_payload or True, asked.with_vector or False)


def _set_payload(client: QdrantClient, collection: str, sent: bytes) -> Any:
    asked = models.SetPayload.model_validate_json(sent)
    return client.set_payload(collection, asked.payload, asked.points)


def _set_vectors(client: QdrantClient, collection: str, sent: bytes) -> Any:
    return client.update_vectors(collection, models.UpdateVectors.model_validate_json(sent).points)


def _delete(client: QdrantClient, collection: str, sent: bytes) -> Any:
    return client.delete(collection, models.PointIdsList.model_validate_json(sent).points)


def _scroll(client: QdrantClient, collection: str, sent: bytes) -> Any:
    asked = models.ScrollRequest.model_validate_json(sent)
    points, following = client.scroll(
        collection,
        asked.filter,
        limit=asked.limit or 10,
        offset=asked.offset,
        with_payload=True if asked.with_payload is None else asked.with_payload,
        with_vectors=asked.with_vector or False,
    )
    return {"points": _plain(points), "next_page_offset": following}


def _query(client: QdrantClient, collection: str, sent: bytes) -> Any:
    return client.query_batch_points(collection, [models.QueryRequest.model_validate_json(sent)])[0]


def _queries(client: QdrantClient, collection: str, sent: bytes) -> Any:
    return client.query_batch_points(collection, models.QueryRequestBatch.model_validate_json(sent).searches)


_ASKED: dict[tuple[str, ...], Callable[[QdrantClient, str, bytes], Any]] = {
    ("GET",): lambda client, collection, _: client.get_collection(collection),
    ("GET", "exists"): lambda client, collection, _: {"exists": client.collection_exists(collection)},
    ("PUT",): _create,
    ("PATCH",): _update,
    ("DELETE",): lambda client, collection, _: client.delete_collection(collection),
    ("PUT", "index"): lambda *_: {"operation_id": 0, "status": "completed"},
    ("PUT", "points"): _upsert,
    ("POST", "points"): _retrieve,
    ("POST", "points", "payload"): _set_payload,
    ("POST", "points", "delete"): _delete,
    ("PUT", "points", "vectors"): _set_vectors,
    ("POST", "points", "scroll"): _scroll,
    ("POST", "points", "count"): lambda client, collection, _: client.count(collection),
    ("POST", "points", "query"): _query,
    ("POST", "points", "query", "batch"): _queries,
}


def main() -> None:
    """Serve what the configuration says, until killed."""
    config = json.loads(Path(sys.argv[1].removeprefix("--config-path=")).read_text())
    service = config["service"]
    warnings.simplefilter("ignore")
    client = QdrantClient(path=config["storage"]["storage_path"], force_disable_check_same_thread=True)
    handler = handler_of(client, service["api_key"])
    ThreadingHTTPServer((service["host"], service["http_port"]), handler).serve_forever()


if __name__ == "__main__":
    main()
