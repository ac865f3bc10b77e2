"""Connections that are lost while a training reads."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import numpy as np
import pytest

from recsys.graph import pages
from recsys.graph.client import Graph
from recsys.graph.server import Server
from recsys.model.batch import Batch
from recsys.model.batch_reader import BatchReader
from recsys.model.clicks import read_clicks
from recsys.model.plan import UniformPlan
from recsys.model.snapshot import take_snapshot
from recsys.model.stream import NeighbourStream

ANSWERED = 6000
"Bytes that a connection lives for: a few pages, and part of another."


class Wire:
    """Stands between a client and the server, and cuts every connection in the middle of an answer."""

    def __init__(self, server: str) -> None:
        address = urlsplit(server)
        self._server = (str(address.hostname), int(address.port or 0))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.uri = f"bolt://127.0.0.1:{self._listener.getsockname()[1]}"
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no further connections."""
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._server)
                threading.Thread(target=self._ask, args=(client, server), daemon=True).start()
                threading.Thread(target=self._answer, args=(server, client), daemon=True).start()

    def _ask(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(1 << 16):
                server.sendall(data)
        server.close()

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        left = ANSWERED
        with suppress(OSError):
            while left and (data := server.recv(left)):
                client.sendall(data)
                left -= len(data)
            self.cuts += not left
            client.shutdown(socket.SHUT_RDWR)
        server.close()


@pytest.fixture
def wire(neo4j_server: Server) -> Iterator[Wire]:
    """A wire to the server."""
    made = Wire(neo4j_server.uri)
    yield made
    made.close()


@pytest.fixture
def frail(small: Graph, neo4j_server: Server, wire: Wire) -> Iterator[Graph]:
    """The small graph over that wire."""
    with Graph(wire.uri, neo4j_server.user, neo4j_server.password) as opened:
        yield opened


def batches(graph: Graph, twin, seed: int) -> list[Batch]:
    """Return two epochs of batches."""
    reader = BatchReader(graph, take_snapshot(graph), twin.excluded)
    with NeighbourStream(reader, UniformPlan(np.array(twin.clicked), 8, seed=1), seed) as stream:
        return [batch for epoch in range(2) for batch in stream.epoch(epoch)]


def test_the_stream_goes_on_with_the_same_batches(small: Graph, frail: Graph, wire: Wire, twin):
    """However often the connection is cut, every batch is what it is without cuts, and none is left out."""
    for one, other in zip(batches(small, twin, 5), batches(frail, twin, 5), strict=True):
        np.testing.assert_equal(vars(one) | {"terms": None}, vars(other) | {"terms": None})
        for mine, theirs in zip(one.terms, other.terms, strict=True):
            np.testing.assert_equal(vars(mine.draw), vars(theirs.draw))
    assert wire.cuts > 2


def test_clicks_are_read_on_at_the_same_page(
    small: Graph, frail: Graph, wire: Wire, monkeypatch: pytest.MonkeyPatch, twin
):
    """A page that was cut short is read again, and none comes twice; pages share the connections they are read over."""
    monkeypatch.setattr(pages, "PAGE_ROWS", 2)
    snapshot = take_snapshot(small)
    for _ in range(4):
        found = read_clicks(frail, snapshot)
        np.testing.assert_equal(vars(found), vars(twin.as_clicks()))
    assert wire.cuts
