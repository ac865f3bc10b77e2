"""Files that appear whole or not at all."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from recsys.core.files import hash_tree, write_json, write_text


def test_a_file_is_replaced_as_a_whole(tmp_path: Path):
    """Its directory is made, its content is the last that was written, and nothing else stays beside it."""
    path = tmp_path / "a" / "b" / "note.txt"
    write_text(path, "erste Fassung, viel länger als die zweite\n")
    write_text(path, "zweite 👟\n")
    assert path.read_text(encoding="utf-8") == "zweite 👟\n"
    assert list(path.parent.iterdir()) == [path]


def test_a_failed_write_leaves_what_was_there(tmp_path: Path):
    """Text that cannot be written costs neither the old file nor the next attempt."""
    path = tmp_path / "note.txt"
    write_text(path, "good")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "half \ud800")
    assert path.read_text() == "good"
    write_text(path, "better")
    assert path.read_text() == "better"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_a_file_has_its_permissions_even_over_an_older_one(tmp_path: Path, mode: int):
    """A secret is readable by its owner only, also where an open file was before."""
    path = tmp_path / "secret"
    path.write_text("old")
    path.chmod(0o666)
    write_text(path, "new", mode=mode)
    assert path.stat().st_mode & 0o777 == mode


def test_json_comes_back(tmp_path: Path):
    """Values come back equal, other scripts stay readable, and the file ends with a line break."""
    value = {"name": "ботинки 👟", "n": [1, 2.5, None, True]}
    write_json(tmp_path / "v.json", value)
    text = (tmp_path / "v.json").read_text(encoding="utf-8")
    assert json.loads(text) == value
    assert "ботинки 👟" in text
    assert text.endswith("}\n")


def test_a_tree_hash_is_that_of_names_and_bytes(tmp_path: Path):
    """A copy made in another order elsewhere has the same hash; any other name, byte or file changes it."""
    tree = tmp_path / "tree"
    (tree / "sub").mkdir(parents=True)
    (tree / "b").write_bytes(b"1")
    (tree / "sub" / "a").write_bytes(b"2")
    before = hash_tree(tree)
    copy = tmp_path / "elsewhere"
    (copy / "sub").mkdir(parents=True)
    shutil.copy(tree / "sub" / "a", copy / "sub" / "a")
    shutil.copy(tree / "b", copy / "b")
    assert hash_tree(copy) == before
    (copy / "b").write_bytes(b"3")
    seen = {before, hash_tree(copy)}
    (copy / "b").rename(copy / "c")
    seen.add(hash_tree(copy))
    (copy / "d").touch()
    seen.add(hash_tree(copy))
    assert len(seen) == 4
