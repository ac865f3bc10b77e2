"""The entry point: help, exit codes and lazy imports."""

from __future__ import annotations

import subprocess
import sys

import pytest

from recsys.cli import config
from recsys.cli.main import COMMANDS
from recsys.core.errors import DataError, RecsysError, ServiceError, SetupError, UsageError

HEAVY = ("torch", "pyspark", "sentence_transformers", "qdrant_client", "pandas", "neo4j")
HELP = f"""
import sys
from recsys.cli.main import app
app(["--help"], standalone_mode=False)
print([name for name in {HEAVY} if name in sys.modules])
"""


def test_help_lists_every_command_and_imports_none():
    """``recsys --help`` needs none of the heavy libraries."""
    done = subprocess.run([sys.executable, "-c", HELP], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    for name, line in COMMANDS.items():
        assert f"  {name} " in done.stdout
        assert line in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(recsys, name: str):
    """Each name leads to a command with help."""
    done = recsys(name, "--help")
    assert done.code == 0
    assert f"Usage: recsys {name}" in done.out


@pytest.mark.parametrize(("kind", "code"), [(UsageError, 2), (DataError, 1), (SetupError, 1), (ServiceError, 1)])
def test_errors_become_exit_codes(recsys, monkeypatch: pytest.MonkeyPatch, kind: type[RecsysError], code: int):
    """Wrong usage is 2, anything else 1, with the message on stderr and no traceback."""

    def fail() -> None:
        raise kind("the shop is closed; come back tomorrow")

    monkeypatch.setattr(config, "load_config", fail)
    done = recsys("config", "show", "--json")
    assert (done.code, done.out) == (code, "")
    assert done.err == "Error: the shop is closed; come back tomorrow\n"


@pytest.mark.parametrize("arguments", [("trian",), ("train", "--epoch", "3"), ("config", "show", "extra")])
def test_what_is_not_there_is_a_usage_error(recsys, arguments: tuple[str, ...]):
    """Unknown commands, flags and arguments exit with 2 and name the word."""
    done = recsys(*arguments)
    assert (done.code, done.out) == (2, "")
    assert arguments[-1 if arguments[0] == "config" else len(arguments) // 2].split()[0] in done.err


def test_the_version_is_told(recsys):
    """``recsys --version`` names the package and a number."""
    assert recsys("--version").out.startswith("recsys, version ")
