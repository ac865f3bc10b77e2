"""The managed Neo4j: real starts, stops and kills."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from recsys.core.errors import SetupError
from recsys.core.settings import Neo4jSettings
from recsys.graph.client import Graph
from recsys.graph.neo4j_errors import GraphRefusedError, GraphUnreachableError
from recsys.graph.server import Server, running, server_home, start, stop
from recsys.graph.server_home import PasswordLostError
from recsys.graph.server_process import PortTakenError, StartFailedError

SMALL = Neo4jSettings(heap="512m", page_cache="64m")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A workspace, with a blank in its name, whose server is stopped at the end if a test left one."""
    path = tmp_path_factory.mktemp("a workspace")
    yield path
    stop(path)


def kill(server: Server) -> None:
    """End the server's process as a crash would, and wait until it is gone."""
    process = psutil.Process(server.pid)
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_two_commands_at_once_start_one_server(workspace: Path):
    """Both get the same server, and so does a later one."""
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: start(workspace, SMALL), range(2))
    assert first == second == running(workspace) == start(workspace, SMALL)


def test_only_its_owner_can_use_it(workspace: Path):
    """The server listens on loopback alone, wants the password, and keeps it in a file for its owner alone."""
    server = start(workspace, SMALL)
    home = server_home(workspace)
    assert stat.S_IMODE(home.path.stat().st_mode) == 0o700
    assert stat.S_IMODE(home.password_path.stat().st_mode) == 0o600
    process = psutil.Process(server.pid)
    listening = [c.laddr.ip for c in process.net_connections() if c.status == psutil.CONN_LISTEN]
    assert listening
    assert {ip.removeprefix("::ffff:") for ip in listening} == {"127.0.0.1"}
    assert server.password not in " ".join(process.cmdline())
    assert server.password not in home.log_path.read_text()
    assert server.password not in repr(server)
    with pytest.raises(GraphRefusedError):
        Graph(server.uri, server.user, "neo4j")


def test_a_killed_server_starts_again_with_its_graph(workspace: Path):
    """After kill -9 nothing runs, a read ends in our error, and the next start, at the same address, has all."""
    server = start(workspace, SMALL)
    with Graph(server.uri, server.user, server.password) as graph:
        graph.write("MERGE (:Kept)")
        kill(server)
        assert running(workspace) is None
        assert stop(workspace) is False
        with pytest.raises(GraphUnreachableError, match="recsys status"):
            graph.read("RETURN 1")
    again = start(workspace, SMALL)
    assert (again.password, again.uri) == (server.password, server.uri)
    with Graph(again.uri, again.user, again.password) as graph:
        assert graph.read("MATCH (n:Kept) RETURN count(n) AS kept")[0]["kept"] == 1


def test_stop_ends_this_workspace_alone(workspace: Path, neo4j_server: Server):
    """A clean stop says that there was a server, a second one that there was none; another workspace goes on."""
    server = start(workspace, SMALL)
    assert neo4j_server.pid != server.pid
    assert stop(workspace) is True
    assert stop(workspace) is False
    assert running(workspace) is None
    assert "Stopped." in server_home(workspace).log_path.read_text().splitlines()[-1]
    assert psutil.Process(neo4j_server.pid).is_running()


def test_an_empty_workspace_runs_nothing(tmp_path: Path):
    """Asking about a workspace that never had a server leaves nothing behind."""
    assert running(tmp_path) is None
    assert stop(tmp_path) is False
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_only_names_the_home_is_not_the_server(tmp_path: Path):
    """Whatever else runs with our arguments, such as an editor on the log, is left alone."""
    home = f"--home-dir={server_home(tmp_path).path}"
    with psutil.Popen([sys.executable, "-c", "input()", home], stdin=subprocess.PIPE) as other:
        assert running(tmp_path) is None
        assert stop(tmp_path) is False
        assert other.is_running()
        other.kill()


def test_a_taken_port_is_named(tmp_path: Path):
    """A port that something else listens on is an error with its number, before Java is started."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortTakenError, match=rf"port {port} .* neo4j\.port") as error:
            start(tmp_path, SMALL.model_copy(update={"port": port}))
    assert error.value.port == port
    assert not server_home(tmp_path).log_path.exists()


def test_a_start_that_fails_shows_the_log(tmp_path: Path):
    """What Java or Neo4j said is in the error, and only what it said this time."""
    home = server_home(tmp_path)
    home.prepare()
    home.log_path.write_text("an earlier line\n")
    with pytest.raises(StartFailedError, match="heap") as error:
        start(tmp_path, SMALL.model_copy(update={"heap": "1k"}))
    assert "an earlier line" not in error.value.tail
    assert home.log_path.read_text().startswith("an earlier line\n")


def test_a_lost_password_is_not_replaced(tmp_path: Path):
    """A database whose password file is gone is reported; a new password would not open it."""
    (tmp_path / "neo4j" / "data" / "databases").mkdir(parents=True)
    with pytest.raises(PasswordLostError, match="put it back"):
        start(tmp_path, SMALL)


def test_a_workspace_that_cannot_be_made_is_a_setup_error(tmp_path: Path):
    """A workspace under a file is refused with the setting to change."""
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="RECSYS_WORKSPACE"):
        start(tmp_path / "file", SMALL)
    assert os.listdir(tmp_path) == ["file"]
