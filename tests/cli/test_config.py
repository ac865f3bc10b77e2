"""``recsys config show`` as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from recsys.core.settings import Settings


@pytest.fixture(autouse=True)
def somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a ``recsys.toml``."""
    (tmp_path / "recsys.toml").write_text('[train]\nseed = 5\n[neo4j]\npassword = "hidden"\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECSYS_TRAIN__EPOCHS", "3")
    return tmp_path


def test_every_setting_has_value_and_origin(recsys, somewhere: Path):
    """JSON lists all of them in order of declaration."""
    done = recsys("config", "show", "--json")
    rows = {row["setting"]: (row["value"], row["origin"]) for row in json.loads(done.out)}
    assert rows["train.epochs"] == (3, "environment RECSYS_TRAIN__EPOCHS")
    assert rows["train.seed"] == (5, str(somewhere / "recsys.toml"))
    assert rows["train.margin"] == (0.3, "default")
    assert rows["workspace"][0] == str(somewhere / ".recsys")
    assert {name.split(".")[0] for name in rows} == set(Settings.model_fields)


@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_secrets_are_masked(recsys, flags: tuple[str, ...]):
    """A password is never printed, only that there is one."""
    done = recsys("config", "show", *flags)
    assert done.code == 0
    assert "hidden" not in done.out + done.err
    assert "neo4j.password" in done.out
    assert "***" in done.out


def test_the_table_is_readable(recsys):
    """One line per setting under a head; what is not set says so."""
    head, *lines = recsys("config", "show").out.splitlines()
    assert head.split() == ["setting", "value", "origin"]
    values = {line.split()[0]: line.split()[1] for line in lines}
    assert values["train.epochs"] == "3"
    assert values["neo4j.uri"] == "unset"


def test_a_wrong_setting_is_a_usage_error(recsys, monkeypatch: pytest.MonkeyPatch):
    """The exit code is 2 and stdout stays empty."""
    monkeypatch.setenv("RECSYS_TRAIN__EPOCHS", "many")
    done = recsys("config", "show", "--json")
    assert (done.code, done.out) == (2, "")
    assert "RECSYS_TRAIN__EPOCHS: train.epochs = 'many' is not allowed" in done.err
