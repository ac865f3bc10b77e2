"""Writing the invented shop as files."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from recsys.ingest import sample as module
from recsys.ingest.sample import ForeignDirectoryError, UnwritableError, write_sample

NAMES = ("clicks", "items", "links", "nodes", "clicks.test")


def _contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_the_same_seed_writes_the_same_bytes(tmp_path, file_format):
    """Seed, size and format decide every byte of every file, wherever it is written."""
    for name in ("a", "b"):
        write_sample(tmp_path / name, clicks=1_000, seed=7, format=file_format)
    write_sample(tmp_path / "c", clicks=1_000, seed=8, format=file_format)
    a, b, c = (_contents(tmp_path / name) for name in "abc")
    assert set(a) == {*(f"{name}.{file_format}" for name in NAMES), "README.md", "sample.json"}
    assert a == b
    assert a[f"clicks.{file_format}"] != c[f"clicks.{file_format}"]


def test_csv_and_parquet_hold_the_same_rows(tmp_path):
    """The format changes nothing but the format."""
    summary = write_sample(tmp_path / "csv", clicks=60_000, seed=1, format="csv")
    write_sample(tmp_path / "parquet", clicks=60_000, seed=1, format="parquet")
    for name, rows in zip(NAMES, (60_000, 2_000, 6_120, summary.nodes, 4_000), strict=True):
        parquet = pq.read_table(tmp_path / "parquet" / f"{name}.parquet")
        options = pa_csv.ConvertOptions(column_types=parquet.schema)
        assert pa_csv.read_csv(tmp_path / "csv" / f"{name}.csv", convert_options=options) == parquet
        assert len(parquet) == rows


def test_the_summary_counts_what_is_in_the_files(tmp_path):
    """The summary is also kept beside the files, and the guide names the next commands."""
    summary = write_sample(tmp_path, clicks=500, seed=2)
    assert (summary.clicks, summary.items, summary.new_items, summary.test_clicks) == (500, 16, 1, 33)
    assert json.loads((tmp_path / "sample.json").read_text())["links"] == summary.links == 3 * 16 + 120
    guide = (tmp_path / "README.md").read_text()
    assert "recsys ingest links DIR/links.csv --nodes DIR/nodes.csv" in guide


def test_a_later_sample_replaces_the_earlier_one(tmp_path):
    """Files of the other format go, files of other names stay."""
    write_sample(tmp_path, clicks=200, seed=0, format="csv")
    (tmp_path / "recsys.toml").write_text("")
    write_sample(tmp_path, clicks=300, seed=0, format="parquet")
    assert not list(tmp_path.glob("*.csv"))
    assert pq.read_metadata(tmp_path / "clicks.parquet").num_rows == 300
    assert (tmp_path / "recsys.toml").exists()


def test_a_directory_of_other_files_is_left_alone(tmp_path):
    """Files that we did not write are never overwritten; the error names one and says what to do."""
    (tmp_path / "clicks.csv").write_text("mine")
    with pytest.raises(ForeignDirectoryError, match=r"'clicks.csv' is in it.*new or empty directory"):
        write_sample(tmp_path, clicks=100, seed=0)
    assert _contents(tmp_path) == {"clicks.csv": b"mine"}


def test_an_interrupted_sample_leaves_the_earlier_one_whole(tmp_path, monkeypatch):
    """A disk that fills up half-way changes nothing in the directory."""
    write_sample(tmp_path, clicks=200, seed=0)
    before = _contents(tmp_path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "write_text", full)
    with pytest.raises(UnwritableError, match=r"No space left on device"):
        write_sample(tmp_path, clicks=300, seed=0)
    assert _contents(tmp_path) == before


def test_a_killed_first_sample_does_not_block_the_next(tmp_path):
    """What a killed run left under its temporary name is cleared away."""
    (tmp_path / ".sample.partial").mkdir()
    (tmp_path / ".sample.partial" / "clicks.csv").write_text("half")
    write_sample(tmp_path, clicks=100, seed=0)
    assert not (tmp_path / ".sample.partial").exists()


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    """A directory below a file cannot be made."""
    (tmp_path / "file").write_text("")
    with pytest.raises(UnwritableError, match=r"cannot write to .*file/shop: Not a directory"):
        write_sample(tmp_path / "file" / "shop", clicks=100, seed=0)
