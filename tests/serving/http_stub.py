"""A scripted HTTP server on loopback, for what no real one does when it is wanted."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Reply = tuple[int, bytes] | None
"Status and body; None hangs up."
Respond = Callable[[str, str], Reply]
"From method and path, without what follows a question mark."


def as_qdrant(path: str, result: object) -> Reply:
    """Return a result as Qdrant sends it, the answer at ``/`` alone without a cover; None hangs up."""
    if result is None:
        return None
    return 200, json.dumps(result if path == "/" else {"result": result, "status": "ok", "time": 0}).encode()


@contextmanager
def serving(respond: Respond) -> Iterator[str]:
    """Answer every request with what ``respond`` says; yield the address."""

    class Handler(BaseHTTPRequestHandler):
        def _reply(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            reply = respond(self.command, self.path.partition("?")[0])
            if reply is None:
                self.close_connection = True
                return
            status, body = reply
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = _reply

        def log_message(self, *_: object) -> None:
            pass

    with listening(Handler) as url:
        yield url


@contextmanager
def listening(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Let a handler answer on a free port, every request in a thread of its own; yield the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
