"""Layers of settings: flag over environment over recsys.toml over default."""

from __future__ import annotations

from pathlib import Path

import pytest

from recsys.core.config import load_config
from recsys.core.errors import UsageError


@pytest.fixture
def toml(tmp_path: Path):
    """Write a ``recsys.toml``."""

    def write(text: str) -> Path:
        (tmp_path / "recsys.toml").write_text(text)
        return tmp_path

    return write


def test_a_higher_layer_wins_and_says_so(toml):
    """Each layer overrides those below, the origin names the layer, and other keys keep theirs."""
    directory = toml("[train]\nepochs = 2\nseed = 5\nbatch_size = 64")
    environ = {"RECSYS_TRAIN__EPOCHS": "3", "RECSYS_TRAIN__SEED": "6"}
    config = load_config({"train": {"epochs": 4, "seed": None}}, environ=environ, directory=directory)
    rows = {name: (value, origin) for name, value, origin in config.rows()}
    assert rows["train.epochs"] == (4, "flag")
    assert rows["train.seed"] == (6, "environment RECSYS_TRAIN__SEED")
    assert rows["train.batch_size"] == (64, str(directory / "recsys.toml"))
    assert rows["train.margin"] == (0.3, "default")
    assert (config.settings.train.epochs, config.settings.train.seed) == (4, 6)


def test_the_file_is_looked_for_upwards(toml):
    """A command in a folder below finds it, and the workspace stays beside the file."""
    directory = toml('workspace = "shop"')
    below = directory / "a" / "b"
    below.mkdir(parents=True)
    assert load_config(environ={}, directory=below).settings.workspace == directory / "shop"


def test_the_workspace_is_absolute(toml, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Relative to the directory without a file, untouched when absolute, and ~ is the home directory."""
    assert load_config(environ={}, directory=tmp_path).settings.workspace == tmp_path / ".recsys"
    monkeypatch.setenv("HOME", "/home/somebody")
    for given, expected in (("/data/shop", "/data/shop"), ("~/shop", "/home/somebody/shop")):
        found = load_config(environ={"RECSYS_WORKSPACE": given}, directory=tmp_path)
        assert found.settings.workspace == Path(expected)


def test_lists_and_tables_have_a_way_in(toml):
    """Relations come comma-separated from the environment, and Spark properties as a table."""
    directory = toml('[spark.conf]\n"spark.ui.enabled" = "false"')
    environ = {"RECSYS_TRAIN__RELATIONS": "BRAND,CATEGORY"}
    settings = load_config(environ=environ, directory=directory).settings
    assert settings.train.relations == ("BRAND", "CATEGORY")
    assert settings.spark.conf == {"spark.ui.enabled": "false"}


def test_other_variables_are_left_alone(tmp_path: Path):
    """Only names of settings are read: neither other programs' variables nor ours of another kind disturb."""
    environ = {"PATH": "/bin", "RECSYS_TEST_QDRANT_URL": "http://x", "NEO4J__URI": "bolt://x"}
    assert load_config(environ=environ, directory=tmp_path).origins == {}


@pytest.mark.parametrize("content", [b"[train\nepochs = 2", b"\xff\xfe\x00"])
def test_a_file_that_is_no_toml_is_named(tmp_path: Path, content: bytes):
    """The error gives the path and what to do."""
    (tmp_path / "recsys.toml").write_bytes(content)
    with pytest.raises(UsageError, match=r"recsys\.toml is not valid TOML.*run again"):
        load_config(environ={}, directory=tmp_path)


@pytest.mark.parametrize(
    ("text", "environ", "complaint"),
    [
        ("[train]\nepoch = 2", {}, r"recsys\.toml: there is no setting 'train\.epoch' \(allowed: encoder, graph,"),
        ("colour = 1", {}, r"recsys\.toml: there is no setting 'colour' \(allowed: workspace, neo4j,"),
        ("", {"RECSYS_TRAIN__EPOCH": "2"}, r"environment RECSYS_TRAIN__EPOCH: there is no setting 'train\.epoch'"),
        ("", {"RECSYS_TRIAN__EPOCHS": "2"}, r"environment RECSYS_TRIAN__EPOCHS: there is no setting 'trian'"),
        ("[train]\nepochs = 0", {}, r"recsys\.toml: train\.epochs = 0 is not allowed: .*greater than 0"),
        ("", {"RECSYS_TRAIN__MARGIN": "3"}, r"RECSYS_TRAIN__MARGIN: train\.margin = '3' is not allowed: .*less than"),
        ("", {"RECSYS_TRAIN__RELATIONS": "A,"}, r"train\.relations = .* is not allowed: .*name is not empty"),
        ("train = 3", {}, r"recsys\.toml: train = 3 is not allowed"),
        ("train = 3", {"RECSYS_TRAIN__SEED": "1"}, r"RECSYS_TRAIN__SEED: .*train = 3 is not a section"),
        ("[train]\nseed = 3", {"RECSYS_TRAIN__SEED__X": "1"}, r"SEED__X: .*train\.seed = 3 is not a section"),
    ],
)
def test_a_wrong_key_or_value_names_its_layer(toml, text: str, environ: dict[str, str], complaint: str):
    """The error says where it stands, what is wrong and what is allowed."""
    with pytest.raises(UsageError, match=complaint):
        load_config(environ=environ, directory=toml(text))


def test_every_mistake_is_named_at_once(toml):
    """Two wrong values give one error with both."""
    with pytest.raises(UsageError, match=r"qdrant\.timeout = 'soon' .*; .*train\.epochs = 0"):
        load_config(environ={"RECSYS_QDRANT__TIMEOUT": "soon"}, directory=toml("[train]\nepochs = 0"))
