"""The managed Neo4j Community of a workspace: started for those who have none, on loopback, with a password.

The process table says whether it runs and where: a server carries its home and port on its command line. There is no
pid file to go stale, to be damaged or to name somebody else's process.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock

from recsys.core.managed import end
from recsys.core.settings import Neo4jSettings
from recsys.graph.server_home import USER, ServerHome
from recsys.graph.server_process import ServerProcess, find, launch, wait_until_up

STOP_SECONDS = 120.0
"How long a stop may take; it writes everything out first."


@dataclass(frozen=True)
class Server:
    """A managed server that runs.

    Attributes:
        uri: Bolt address on loopback.
        user: User name.
        password: Password.
        pid: Process id.
    """

    uri: str
    user: str
    password: str = field(repr=False)
    pid: int


def server_home(workspace: Path) -> ServerHome:
    """Return the home of the workspace's server."""
    return ServerHome(workspace.resolve() / "neo4j")


def running(workspace: Path) -> Server | None:
    """Return the workspace's server if its process is there.

    Raises:
        PasswordLostError: It runs and its password file is missing.
    """
    home = server_home(workspace)
    found = find(home)
    return _server(found, home) if found else None


def start(workspace: Path, settings: Neo4jSettings) -> Server:
    """Return the workspace's server, started if need be, once it answers; it outlives this process.

    Raises:
        JavaMissingError: No Java that runs it.
        JarsMissingError: Its jars could not be fetched.
        PortTakenError: ``settings.port`` is not free.
        StartFailedError: It did not come up.
        PasswordLostError: There is a database and no password file.
    """
    home = server_home(workspace)
    home.prepare()
    with FileLock(home.lock_path):
        log_size = home.log_path.stat().st_size if home.log_path.exists() else 0
        found = find(home) or launch(home, settings)
        wait_until_up(found, home, log_size)
        return _server(found, home)


def stop(workspace: Path) -> bool:
    """Stop the workspace's server cleanly and wait for its end.

    A server that does not end within :data:`STOP_SECONDS` is killed, with a warning in the log.

    Returns:
        Whether there was one.
    """
    home = server_home(workspace)
    if not home.path.is_dir():
        return False
    with FileLock(home.lock_path):
        return _end(home)


def replace_data(workspace: Path, settings: Neo4jSettings, data: Path, check: Callable[[], None]) -> Server:
    """Put the databases in ``data`` in the places of the workspace's own; the server is started again.

    Args:
        workspace: Whose server.
        settings: How it is started.
        data: Folders ``databases`` and ``transactions`` in a folder of the workspace; moved away.
        check: Called last of all while the server still runs; raises where its data must stay.

    Raises:
        SetupError, ServiceError: It does not start again, as in :func:`start`; the next start takes the new data.
    """
    home = server_home(workspace)
    with FileLock(home.lock_path):
        check()
        _end(home)
        home.stage(data)
    return start(workspace, settings)


def _end(home: ServerHome) -> bool:
    found = find(home)
    if found is None:
        return False
    end(found.process, STOP_SECONDS)
    return True


def _server(found: ServerProcess, home: ServerHome) -> Server:
    return Server(f"bolt://127.0.0.1:{found.port}", USER, home.password(), found.process.pid)
