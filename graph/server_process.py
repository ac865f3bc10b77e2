"""The process of a managed Neo4j: found in the process table, launched, waited for."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

import psutil

from recsys.core.errors import ServiceError
from recsys.core.java import find_java
from recsys.core.settings import Neo4jSettings
from recsys.graph.jars import ensure_jars
from recsys.graph.server_home import ServerHome

MAIN_CLASS = "org.neo4j.server.CommunityEntryPoint"
START_SECONDS = 300.0
"How long a start may take; recovery after a crash reads the transaction log again."

_POLL_SECONDS = 0.1
_PORT_OPTION = "-Drecsys.bolt.port="


class PortTakenError(ServiceError):
    """Something else listens on the port that the managed server is to have."""

    def __init__(self, port: int) -> None:
        self.port = port
        super().__init__(
            f"port {port} on 127.0.0.1 is taken; set neo4j.port (RECSYS_NEO4J__PORT) to a free port or to 0, which "
            "takes one that is free, then `recsys up`"
        )


class StartFailedError(ServiceError):
    """The managed server ended, or did not answer in time, while it was starting."""

    def __init__(self, what: str, log_path: Path, tail: str) -> None:
        self.log_path = log_path
        self.tail = tail
        super().__init__(f"the managed Neo4j {what}; see {log_path}, then `recsys doctor`. Its last lines:\n{tail}")


class ServerProcess(NamedTuple):
    """A server's process and its Bolt port on loopback."""

    process: psutil.Process
    port: int


def free_port(wanted: int) -> int:
    """Return ``wanted``, or any free port of loopback where it is 0.

    Raises:
        PortTakenError: ``wanted`` is not free.
    """
    with socket.socket() as probe:
        # As Neo4j itself does: a port whose last connections are only waiting to be forgotten is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError as error:
            raise PortTakenError(wanted) from error
        return int(probe.getsockname()[1])


def find(home: ServerHome) -> ServerProcess | None:
    """Return the server with this home, if there is one."""
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or ()
        if MAIN_CLASS in words and _home_option(home) in words:
            port = next(word.removeprefix(_PORT_OPTION) for word in words if word.startswith(_PORT_OPTION))
            return ServerProcess(process, int(port))
    return None


def launch(home: ServerHome, settings: Neo4jSettings) -> ServerProcess:
    """Start a server that outlives this process.

    Raises:
        JavaMissingError: No Java that runs it.
        JarsMissingError: Its jars could not be fetched.
        PortTakenError: ``settings.port`` is not free.
        PasswordLostError: There is a database and no password file.
    """
    java = find_java()
    jars = ensure_jars(java, settings.repository)
    home.take_staged()
    home.ensure_password()
    port = free_port(settings.port) if settings.port else _same_or_free_port(home)
    home.configure(settings, port)
    command: list[str | Path] = [java.binary, f"-Xmx{settings.heap}", f"{_PORT_OPTION}{port}", "-cp", f"{jars}/*"]
    command += [MAIN_CLASS, _home_option(home), f"--config-dir={home.path / 'conf'}", "--console-mode"]
    with home.log_path.open("ab") as log:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=home.path,
            start_new_session=True,
        )
    return ServerProcess(psutil.Process(child.pid), port)


def _same_or_free_port(home: ServerHome) -> int:
    """Return the port of the last time, if it is free, so that whoever lost the server finds it again."""
    try:
        return free_port(home.last_port())
    except PortTakenError:
        return free_port(0)


def _home_option(home: ServerHome) -> str:
    return f"--home-dir={home.path}"


def wait_until_up(found: ServerProcess, home: ServerHome, log_size: int) -> None:
    """Return once the server takes connections.

    Args:
        found: The server's process.
        home: Its home.
        log_size: Where in the log this start begins.

    Raises:
        StartFailedError: It ended, or takes longer than :data:`START_SECONDS`.
    """
    deadline = time.monotonic() + START_SECONDS
    while not _listens(found):
        if time.monotonic() > deadline:
            what = f"(pid {found.process.pid}) does not answer after {START_SECONDS:.0f} s"
            raise StartFailedError(what, home.log_path, home.log_since(log_size))
        time.sleep(_POLL_SECONDS)
        if not _alive(found.process):
            raise StartFailedError("ended while it was starting", home.log_path, home.log_since(log_size))


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _listens(found: ServerProcess) -> bool:
    """True once this very process, and not another that was quicker, has the port."""
    try:
        sockets = found.process.net_connections("tcp")
    except psutil.NoSuchProcess:
        return False
    return any(s.status == psutil.CONN_LISTEN and s.laddr.port == found.port for s in sockets)
