"""The directory of a training that has not finished."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from recsys.model.work import TrainingInProgressError, last_checkpoint, open_work, run_name

KEY = {"settings": {"seed": 1, "relations": None}, "snapshot": {"rows": {"Query": 3}}}
SECOND_PROCESS = """
import sys
from pathlib import Path
from recsys.model.work import TrainingInProgressError, open_work
try:
    with open_work(Path(sys.argv[1]), {"a": int(sys.argv[2])}, fresh=False):
        print("open")
except TrainingInProgressError as error:
    print("refused:", error)
"""


def interrupt(directory: Path) -> None:
    """Leave a file and go, as somebody who presses Ctrl-C."""
    (directory / "left").touch()
    raise KeyboardInterrupt


def test_the_same_key_finds_the_same_directory(tmp_path: Path):
    """What an interrupted training left is there again, whatever the order of keys; another key gets another place."""
    with pytest.raises(KeyboardInterrupt), open_work(tmp_path, KEY, fresh=False) as directory:
        interrupt(directory)
    with open_work(tmp_path, dict(reversed(KEY.items())), fresh=False) as again:
        assert again == directory
        assert (again / "left").exists()
        with open_work(tmp_path, {**KEY, "settings": {"seed": 2}}, fresh=False) as other:
            assert other != again


def test_fresh_forgets(tmp_path: Path):
    """What an earlier attempt left is gone."""
    with open_work(tmp_path, KEY, fresh=False) as directory:
        (directory / "left").touch()
    with open_work(tmp_path, KEY, fresh=True) as directory:
        assert list(directory.iterdir()) == []


def test_a_second_process_is_refused(tmp_path: Path):
    """While one process trains, another with the same key is told so, and one with another key is not."""

    def second(key: int) -> str:
        command = [sys.executable, "-c", SECOND_PROCESS, str(tmp_path), str(key)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    with open_work(tmp_path, {"a": 1}, fresh=False) as directory:
        assert second(1).startswith(f"refused: another process is training in {directory}")
        assert second(2) == "open\n"
        with pytest.raises(TrainingInProgressError), open_work(tmp_path, {"a": 1}, fresh=True):
            pass
        assert directory.exists()
    assert second(1) == "open\n"


def test_a_checkpoint_that_is_not_whole_is_passed_over(tmp_path: Path):
    """The newest by number that has its last file is taken; none is None."""
    assert last_checkpoint(tmp_path) is None
    for step in (9, 10, 100):
        (tmp_path / f"checkpoint-{step}").mkdir()
        (tmp_path / f"checkpoint-{step}" / "model.safetensors").touch()
    assert last_checkpoint(tmp_path) is None
    for step in (9, 10):
        (tmp_path / f"checkpoint-{step}" / "trainer_state.json").touch()
    assert last_checkpoint(tmp_path) == tmp_path / "checkpoint-10"


def test_a_run_is_named_after_time_and_training(tmp_path: Path):
    """Names sort by time, and trainings of the same second have different ones."""
    first, second = (run_name(tmp_path / f".{digest}.partial") for digest in ("0123456789ab", "abcdef012345"))
    assert first.endswith("-012345")
    assert second.endswith("-abcdef")
    assert first[:15] <= second[:15]
    assert len(first) == len("20240229-120000-012345")
