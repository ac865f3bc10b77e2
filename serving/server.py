"""The managed Qdrant of a workspace: started from a program on this machine, on loopback, with an API key.

The process table says whether it runs: a server carries the path of its configuration on its command line.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

import httpx
import psutil
from filelock import FileLock

from recsys.core.errors import ServiceError, SetupError
from recsys.core.managed import end
from recsys.core.settings import QdrantSettings
from recsys.graph.server_process import PortTakenError, free_port
from recsys.serving.server_home import Address, QdrantHome, qdrant_home

START_SECONDS = 120.0
"How long a start may take; it reads what was not yet in the index again."
STOP_SECONDS = 60.0
"How long a stop may take; it writes everything out first."

_POLL_SECONDS = 0.1


class QdrantMissingError(SetupError):
    """There is no program to start."""

    def __init__(self, program: str) -> None:
        self.program = program
        super().__init__(
            f"there is no program {program!r} on PATH; put Qdrant's there or set qdrant.binary to its path "
            "(RECSYS_QDRANT__BINARY), then run `recsys up --qdrant`. Without one, `docker run -p 127.0.0.1:6333:6333 "
            "qdrant/qdrant` starts a server, and qdrant.url names it"
        )


class QdrantPortTakenError(ServiceError):
    """Something else listens on the port that the managed server is to have."""

    def __init__(self, port: int) -> None:
        self.port = port
        super().__init__(
            f"port {port} on 127.0.0.1 is taken; set qdrant.port (RECSYS_QDRANT__PORT) to a free port or to 0, which "
            "takes one that is free, then run `recsys up --qdrant`"
        )


class QdrantStartError(ServiceError):
    """The managed server ended, or did not answer in time, while it was starting."""

    def __init__(self, what: str, log_path: Path) -> None:
        self.log_path = log_path
        tail = "\n".join(log_path.read_text(encoding="utf-8", errors="replace").splitlines()[-12:])
        super().__init__(
            f"the managed Qdrant {what}; see {log_path}, then run `recsys up --qdrant`. Its last lines:\n{tail}"
        )


@dataclass(frozen=True)
class QdrantServer:
    """A managed server that runs.

    Attributes:
        url: Address on loopback.
        api_key: What its callers have to know.
        pid: Process id.
    """

    url: str
    api_key: str = field(repr=False)
    pid: int


def running(workspace: Path) -> QdrantServer | None:
    """Return the workspace's server if its process is there."""
    home = qdrant_home(workspace)
    address, process = home.address(), _find(home)
    return QdrantServer(address.url, address.api_key, process.pid) if address and process else None


def start(workspace: Path, settings: QdrantSettings) -> QdrantServer:
    """Return the workspace's server, started if need be, once it answers; it outlives this process.

    Raises:
        QdrantMissingError: There is no program ``settings.binary``.
        QdrantPortTakenError: ``settings.port`` is not free.
        QdrantStartError: It did not come up.
        SetupError: The workspace cannot be written.
    """
    home = qdrant_home(workspace)
    program = shutil.which(settings.binary)
    if program is None and running(workspace) is None:
        raise QdrantMissingError(settings.binary)
    home.prepare()
    with FileLock(home.lock_path):
        process, address = _find(home), home.address()
        if process is None or address is None:
            process, address = _launch(home, str(program), settings.port)
        _wait_until_up(process, address, home)
        return QdrantServer(address.url, address.api_key, process.pid)


def stop(workspace: Path) -> bool:
    """Stop the workspace's server and wait for its end; it is killed where it takes longer than :data:`STOP_SECONDS`.

    Returns:
        Whether there was one.
    """
    home = qdrant_home(workspace)
    if not home.path.is_dir():
        return False
    with FileLock(home.lock_path):
        process = _find(home)
        if process is None:
            return False
        end(process, STOP_SECONDS)
        return True


def _find(home: QdrantHome) -> psutil.Process | None:
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or ()
        if _option(home) in words and process.info["status"] != psutil.STATUS_ZOMBIE:
            return process
    return None


def _launch(home: QdrantHome, program: str, port: int) -> tuple[psutil.Process, Address]:
    address = home.configure(_port(home, port))
    # variables of this kind go before the configuration, where they may open the server to others
    environment = {name: value for name, value in os.environ.items() if not name.startswith("QDRANT_")}
    with home.log_path.open("wb") as log:
        child = subprocess.Popen(
            [program, _option(home)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=home.path,
            env=environment,
            start_new_session=True,
        )
    return psutil.Process(child.pid), address


def _port(home: QdrantHome, wanted: int) -> int:
    """Return the wanted port; where any will do, that of the last time if it is free."""
    before = home.address()
    try:
        return free_port(wanted or (before.port if before else 0))
    except PortTakenError as error:
        if wanted:
            raise QdrantPortTakenError(wanted) from error
        return free_port(0)


def _wait_until_up(process: psutil.Process, address: Address, home: QdrantHome) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _answers(address):
        if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
            raise QdrantStartError("ended while it was starting", home.log_path)
        if time.monotonic() > deadline:
            raise QdrantStartError(f"(pid {process.pid}) does not answer after {START_SECONDS:.0f} s", home.log_path)
        time.sleep(_POLL_SECONDS)


def _answers(address: Address) -> bool:
    """Say whether the server is there and takes the key."""
    try:
        answer = httpx.get(f"{address.url}/collections", headers={"api-key": address.api_key}, timeout=5)
    except httpx.HTTPError:
        return False
    return answer.status_code == HTTPStatus.OK


def _option(home: QdrantHome) -> str:
    return f"--config-path={home.config_path}"
