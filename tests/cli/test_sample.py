"""``recsys sample`` as a user meets it."""

from __future__ import annotations

import pytest


def test_sample_writes_files_and_names_the_next_command(recsys, tmp_path):
    """The result is on stdout, the next command on stderr."""
    done = recsys("sample", str(tmp_path / "shop"), "--clicks", "300")
    assert done.code == 0
    assert "300 clicks on 10 items (1 of them new and not clicked yet)" in done.out
    assert f"recsys ingest clicks {tmp_path / 'shop' / 'clicks.csv'}" in done.err
    assert (tmp_path / "shop" / "clicks.csv").read_text().count("\n") == 301


def test_sample_speaks_json(recsys, tmp_path):
    """Programs get the directory, what was asked for, and rows of each file."""
    done = recsys("sample", str(tmp_path), "--clicks", "300", "--seed", "5", "--format", "parquet", "--json").json()
    assert (done["directory"], done["seed"], done["format"]) == (str(tmp_path), 5, "parquet")
    assert (done["clicks"], done["items"], done["new_items"], done["test_clicks"]) == (300, 10, 1, 20)
    assert (tmp_path / "clicks.test.parquet").exists()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--clicks", "99"), "99 is not in the range x>=100"),
        (("--seed", "-1"), "-1 is not in the range x>=0"),
        (("--format", "xml"), "'xml' is not one of 'csv', 'parquet'"),
    ],
)
def test_wrong_values_are_usage_errors(recsys, tmp_path, arguments, complaint):
    """The value and what is allowed are named, nothing is written, and the exit code is 2."""
    refused = recsys("sample", str(tmp_path / "shop"), *arguments)
    assert refused.code == 2
    assert complaint in refused.err
    assert not (tmp_path / "shop").exists()


def test_other_peoples_files_are_safe(recsys, tmp_path):
    """A directory with files of its own is refused with exit code 2."""
    (tmp_path / "notes.txt").write_text("mine")
    refused = recsys("sample", str(tmp_path))
    assert refused.code == 2
    assert "notes.txt" in refused.err


def test_a_place_that_cannot_be_written_is_a_failure(recsys, tmp_path):
    """A directory below a file gets exit code 1 and the reason."""
    (tmp_path / "file").write_text("")
    failed = recsys("sample", str(tmp_path / "file" / "shop"))
    assert failed.code == 1
    assert "Not a directory" in failed.err
