"""A TCP proxy before Neo4j that counts commits, cuts connections at one, and calls a fault around one."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

COMMIT = b"\x00\x02\xb0\x12\x00\x00"
"Bolt's COMMIT as it goes over the wire: a chunk of two bytes (a structure without fields, tag 0x12), and the end."

Where = Literal["before", "after", "lost", "blind"]
"""Of a commit: before it is sent, after its answer; its answer is lost; or cut without waiting for one."""


@dataclass
class Trap:
    """A fault that waits for a commit.

    Attributes:
        commit: Number of the commit, from 1.
        where: When it strikes.
        strike: What it does; a cut needs nothing else.
    """

    commit: int
    where: Where
    strike: Callable[[], None] = lambda: None


class BoltProxy:
    """Passes connections on to a Bolt port of loopback.

    Args:
        target: The port.

    Attributes:
        target: The port; a server that is started again may have another.
        port: Where it listens.
        commits: Commits seen since :meth:`arm`.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.commits = 0
        self._traps: list[Trap] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def arm(self, *traps: Trap) -> None:
        """Count from 0 again and set ``traps``."""
        self.commits, self._traps = 0, list(traps)

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        with client, suppress(OSError), socket.create_connection(("127.0.0.1", self.target)) as server:
            waiting: Trap | None = None
            while True:
                for side in select.select([client, server], [], [])[0]:
                    data = side.recv(65_536)
                    if not data:
                        return
                    if side is client:
                        waiting = self._sprung(data)
                        if waiting and waiting.where == "before":
                            waiting.strike()
                        server.sendall(data)
                        if waiting and waiting.where == "blind":
                            waiting.strike()
                            return
                    elif waiting and waiting.where == "lost":
                        waiting.strike()
                        return
                    else:
                        client.sendall(data)
                        if waiting and waiting.where == "after":
                            waiting.strike()
                        waiting = None

    def _sprung(self, data: bytes) -> Trap | None:
        if COMMIT not in data:
            return None
        self.commits += 1
        trap = next((trap for trap in self._traps if trap.commit == self.commits), None)
        if trap:
            self._traps.remove(trap)
        return trap
