"""Run directories and their tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recsys.core.files import write_json
from recsys.core.run import Run, RunMissingError, Table, find_run, list_runs, read_table, write_table


@pytest.mark.parametrize("rows", [0, 1, 2500])
def test_a_table_comes_back(tmp_path: Path, rows: int):
    """Whatever its size, every column comes back equal and the vectors keep their type and shape."""
    rng = np.random.default_rng(0)
    table = Table(
        ids=[f'x"}} {row} 👟' for row in range(rows)],
        texts=["" if row % 7 == 0 else f"text {row}\n" for row in range(rows)],
        clicks=rng.integers(0, 2**40, rows),
        degree=rng.integers(0, 9, rows),
        payloads=[{"price": row, "tags": ["ä"]} if row % 2 else {} for row in range(rows)],
        vectors=rng.normal(size=(rows, 5)).astype(np.float32),
    )
    write_table(tmp_path / "t.parquet", table)
    found = read_table(tmp_path / "t.parquet")
    np.testing.assert_equal(vars(found), vars(table))
    assert found.vectors.dtype == np.float32
    assert found.vectors.shape == (rows, 5)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Two finished runs, one that is being written and one without manifest."""
    for name in ("20240102-a", "20240101-b", ".20240103-c"):
        write_json(tmp_path / name / "manifest.json", {"run": name})
    (tmp_path / "20240104-d").mkdir()
    return tmp_path


def test_only_finished_runs_are_listed(runs: Path):
    """Oldest first, without those that are being written; a directory that is not there has none."""
    assert [run.name for run in list_runs(runs)] == ["20240101-b", "20240102-a"]
    assert list_runs(runs / "nowhere") == []


def test_a_run_is_found_by_name_or_as_the_newest(runs: Path):
    """Without a name the newest is taken."""
    assert find_run(runs) == Run(runs / "20240102-a")
    found = find_run(runs, "20240101-b")
    assert (found.name, found.manifest) == ("20240101-b", {"run": "20240101-b"})
    assert found.encoder_path == runs / "20240101-b" / "encoder"


def test_a_missing_run_says_which_there_are(runs: Path):
    """The error names what was asked for, what there is and the command that makes one."""
    with pytest.raises(
        RunMissingError, match=r"no finished run '\.20240103-c'.*known: 20240101-b, 20240102-a"
    ) as error:
        find_run(runs, ".20240103-c")
    assert error.value.known == ("20240101-b", "20240102-a")
    with pytest.raises(RunMissingError, match=r"no finished run in .*known: none.*`recsys train` makes one"):
        find_run(runs / "nowhere")
