"""``recsys up``, ``status`` and ``down`` on a real server."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from recsys.cli.clients import PasswordMissingError, open_graph
from recsys.core.settings import Neo4jSettings, Settings
from recsys.graph.server import Server, stop


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty workspace that the command line uses, with a small heap."""
    monkeypatch.setenv("RECSYS_WORKSPACE", str(tmp_path / "shop"))
    monkeypatch.setenv("RECSYS_NEO4J__HEAP", "512m")
    yield tmp_path / "shop"
    stop(tmp_path / "shop")


def test_from_up_to_down(workspace: Path, recsys: Callable[..., object]):
    """The server is started once, shown, and stopped once; no command says the password."""
    first, second = recsys("up", "--json"), recsys("up", "--json")
    assert (first.json()["started"], second.json()["started"]) == (True, False)
    assert first.json()["pid"] == second.json()["pid"]
    password = Path(first.json()["password_file"]).read_text()

    shown = recsys("status", "--json").json()
    assert shown["neo4j"]["uri"] == first.json()["uri"]
    assert shown["graph"] == {"queries": 0, "items": 0, "anchors": 0, "clicked_pairs": 0, "relations": {}}
    text = recsys("status").out
    assert f"pid {first.json()['pid']}" in text
    assert not any(password in said for said in (first.out, first.err, second.out, text))

    down = recsys("down")
    assert (down.code, down.out) == (0, "Neo4j stopped\n")
    assert not psutil.pid_exists(first.json()["pid"]) or psutil.Process(first.json()["pid"]).status() == "zombie"
    assert recsys("down", "--json").json() == {"stopped": False, "qdrant_stopped": False}


def test_status_of_nothing_starts_nothing(workspace: Path, recsys: Callable[..., object]):
    """In an empty directory it says how to go on and leaves no file."""
    shown = recsys("status")
    assert shown.code == 0
    assert "not running; `recsys up` starts it" in shown.out
    assert "none; `recsys train` makes one" in shown.out
    assert not workspace.exists()


def test_with_an_address_nothing_is_managed(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, recsys: Callable[..., object], neo4j_server: Server
):
    """Up starts nothing, and status reads the graph at the address."""
    monkeypatch.setenv("RECSYS_NEO4J__URI", neo4j_server.uri)
    monkeypatch.setenv("RECSYS_NEO4J__PASSWORD", neo4j_server.password)
    done = recsys("up", "--json")
    assert done.json() == {"managed": False, "uri": neo4j_server.uri, "user": "neo4j"}
    assert "neo4j.uri is set" in done.err
    assert not workspace.exists()
    assert "queries" in recsys("status", "--json").json()["graph"]


def test_status_shows_a_problem_instead_of_failing(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, recsys: Callable[..., object]
):
    """A graph that does not answer is part of the answer."""
    monkeypatch.setenv("RECSYS_NEO4J__URI", "bolt://127.0.0.1:1")
    assert "neo4j.password is not set" in recsys("status").out
    monkeypatch.setenv("RECSYS_NEO4J__PASSWORD", "secret")
    shown = recsys("status", "--json")
    assert shown.code == 0
    assert "does not answer" in shown.json()["graph"]["problem"]


def test_commands_open_the_graph_that_runs(
    neo4j_workspace: Path, neo4j_server: Server, capsys: pytest.CaptureFixture[str]
):
    """A running managed server is used as it is, silently, with the schema in place."""
    with open_graph(Settings(workspace=neo4j_workspace)) as graph:
        assert graph.uri == neo4j_server.uri
    assert capsys.readouterr().err == ""


def test_an_address_needs_a_password():
    """Without one the mistake is in the settings, and the error says which."""
    with pytest.raises(PasswordMissingError, match="RECSYS_NEO4J__PASSWORD"):
        open_graph(Settings(neo4j=Neo4jSettings(uri="bolt://127.0.0.1:1")))


def test_a_port_taken_ends_up_with_code_1(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, recsys: Callable[..., object], neo4j_server: Server
):
    """The error names the port on stderr; stdout stays empty."""
    port = neo4j_server.uri.rpartition(":")[2]
    monkeypatch.setenv("RECSYS_NEO4J__PORT", port)
    done = recsys("up")
    assert (done.code, done.out) == (1, "")
    assert f"Error: port {port} on 127.0.0.1 is taken" in done.err
    assert os.listdir(workspace / "neo4j")
