"""The managed Qdrant: one per workspace, on loopback, for those who know its key."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from recsys.core.settings import QdrantSettings, Settings
from recsys.serving.server import (
    QdrantMissingError,
    QdrantPortTakenError,
    QdrantStartError,
    running,
    start,
    stop,
)
from recsys.serving.server_home import qdrant_home, with_managed_qdrant

BINARY = "RECSYS_TEST_QDRANT_BINARY"
STAND_IN = f"""#!{sys.executable}
import json, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

service = json.load(open(sys.argv[1].removeprefix("--config-path=")))["service"]

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        allowed = self.headers.get("api-key") == service["api_key"]
        body = b'{{"result": {{"collections": []}}, "status": "ok", "time": 0}}' if allowed else b"no"
        self.send_response(200 if allowed else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

HTTPServer((service["host"], service["http_port"]), Handler).serve_forever()
"""


@pytest.fixture
def settings(tmp_path: Path) -> QdrantSettings:
    """Qdrant's program where there is one, else a stand-in that reads the configuration and checks keys as it does."""
    program = os.environ.get(BINARY) or shutil.which("qdrant")
    if program is None:
        program = str(tmp_path / "stand-in")
        Path(program).write_text(STAND_IN)
        Path(program).chmod(0o755)
    return QdrantSettings(binary=program)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Path]:
    """A workspace whose server ends with the test."""
    yield tmp_path / "shop"
    stop(tmp_path / "shop")


def test_a_server_is_started_once_and_asks_for_its_key(
    workspace: Path, settings: QdrantSettings, monkeypatch: pytest.MonkeyPatch
):
    """It listens on loopback whatever the environment says, and only its owner can read the key."""
    monkeypatch.setenv("QDRANT__SERVICE__HOST", "0.0.0.0")  # noqa: S104
    server = start(workspace, settings)
    assert start(workspace, settings) == server == running(workspace)
    assert server.api_key not in repr(server)
    assert httpx.get(f"{server.url}/collections").status_code == 401
    assert httpx.get(f"{server.url}/collections", headers={"api-key": server.api_key}).status_code == 200
    sockets = [s for s in psutil.Process(server.pid).net_connections("tcp") if s.status == psutil.CONN_LISTEN]
    assert [s.laddr.ip for s in sockets] == ["127.0.0.1"]
    assert stat.S_IMODE(qdrant_home(workspace).config_path.stat().st_mode) == 0o600


def test_address_and_key_outlive_a_stop(workspace: Path, settings: QdrantSettings):
    """Stopped once, it comes back where whoever knew it finds it."""
    first = start(workspace, settings)
    assert stop(workspace)
    assert (running(workspace), stop(workspace)) == (None, False)
    again = start(workspace, settings)
    assert (again.url, again.api_key) == (first.url, first.api_key)


def test_commands_use_the_managed_server(workspace: Path, settings: QdrantSettings):
    """From the first start on its address and key are the settings, unless an address is set."""
    chosen = Settings(workspace=workspace, qdrant=settings)
    assert with_managed_qdrant(chosen) is chosen
    server = start(workspace, settings)
    filled = with_managed_qdrant(chosen).qdrant
    assert filled.api_key is not None
    assert (filled.url, filled.api_key.get_secret_value()) == (server.url, server.api_key)
    elsewhere = chosen.model_copy(update={"qdrant": QdrantSettings(url="http://elsewhere:6333")})
    assert with_managed_qdrant(elsewhere) is elsewhere


def test_without_a_program_the_error_says_what_to_do(workspace: Path):
    """It names the setting and the way without a program, and leaves nothing behind."""
    with pytest.raises(QdrantMissingError, match=r"nowhere-to-be-found.*qdrant\.binary.*docker run"):
        start(workspace, QdrantSettings(binary="nowhere-to-be-found"))
    assert not workspace.exists()


def test_a_port_in_use_is_refused(workspace: Path, settings: QdrantSettings):
    """The error names the port and the setting."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        port = held.getsockname()[1]
        with pytest.raises(QdrantPortTakenError, match=rf"{port}.*qdrant\.port"):
            start(workspace, settings.model_copy(update={"port": port}))


def test_a_server_that_ends_at_once_shows_its_last_lines(workspace: Path, tmp_path: Path):
    """What it printed is in the error."""
    (tmp_path / "broken").write_text("#!/bin/sh\necho no disk left\nexit 3\n")
    (tmp_path / "broken").chmod(0o755)
    with pytest.raises(QdrantStartError, match="no disk left"):
        start(workspace, QdrantSettings(binary=str(tmp_path / "broken")))


def test_up_and_down_manage_both_servers(
    tmp_path: Path, settings: QdrantSettings, monkeypatch: pytest.MonkeyPatch, recsys: Callable[..., object]
):
    """With an address for Neo4j only Qdrant is started; the key is in a file and in no output."""
    monkeypatch.setenv("RECSYS_WORKSPACE", str(tmp_path / "shop"))
    monkeypatch.setenv("RECSYS_NEO4J__URI", "bolt://127.0.0.1:1")
    monkeypatch.setenv("RECSYS_QDRANT__BINARY", settings.binary)
    first, second = recsys("up", "--qdrant", "--json"), recsys("up", "--qdrant")
    try:
        shown = first.json()["qdrant"]
        assert (shown["managed"], shown["started"]) == (True, True)
        assert f"qdrant url           {shown['url']}" in second.out
        server = running(tmp_path / "shop")
        assert server is not None
        assert server.api_key not in first.out + first.err + second.out + second.err
    finally:
        assert recsys("down", "--json").json() == {"stopped": False, "qdrant_stopped": True}
    assert running(tmp_path / "shop") is None
