from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from recsys.ingest.ship import archive, is_one_process

PROBE = """
import sys
sys.path.insert(1, sys.argv[1])
import recsys.ingest.tasks
assert recsys.ingest.tasks.__file__.startswith(sys.argv[1]), recsys.ingest.tasks.__file__
print(sorted({"neo4j", "pydantic", "stamina", "click", "torch"} & sys.modules.keys()))
"""


def test_the_archive_is_all_that_tasks_need_of_us(tmp_path: Path) -> None:
    """Tasks import from it, before any recsys that is installed, and need no database driver nor settings."""
    path = archive(tmp_path)
    shown = subprocess.run([sys.executable, "-I", "-c", PROBE, path], capture_output=True, text=True, check=False)
    assert (shown.stdout.strip(), shown.stderr) == ("[]", "")


def test_the_archive_is_named_by_its_content(tmp_path: Path) -> None:
    """The same code makes the same file, byte for byte, and leaves nothing else behind."""
    one, two = archive(tmp_path / "a"), archive(tmp_path / "b")
    assert (one.name, one.read_bytes()) == (two.name, two.read_bytes())
    assert archive(tmp_path / "a") == one
    assert list((tmp_path / "a").iterdir()) == [one]


@pytest.mark.parametrize(
    ("master", "one"),
    [("local", True), ("local[*]", True), ("local[2,4]", True), ("local-cluster[2,1,1024]", False), ("yarn", False)],
)
def test_only_a_local_master_is_one_process(master: str, one: bool) -> None:
    """local-cluster starts executors of its own."""
    assert is_one_process(master) is one
