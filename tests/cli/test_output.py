"""Printing results."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from recsys.cli.output import note, print_fields, print_json, print_line, print_table


def test_results_and_notes_have_streams_of_their_own(capsys: pytest.CaptureFixture[str]):
    """Results go to stdout, notes to stderr."""
    print_line("result")
    note("working")
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("result\n", "working\n")


def test_json_is_readable_and_whole(capsys: pytest.CaptureFixture[str]):
    """Other scripts stay as they are, and paths become text."""
    print_json({"name": "ботинки", "path": Path("/a"), "n": [1, None]})
    out = capsys.readouterr().out
    assert json.loads(out) == {"name": "ботинки", "path": "/a", "n": [1, None]}
    assert "ботинки" in out


def test_a_table_is_aligned(capsys: pytest.CaptureFixture[str]):
    """Text to the left, numbers to the right with two decimals, and nothing where there is no value."""
    print_table(
        [{"name": "a", "P@1": 7.126}, {"name": "longer", "P@1": None}, {"name": "b", "P@1": 100}], ["name", "P@1"]
    )
    assert capsys.readouterr().out.splitlines() == ["name     P@1", "a       7.13", "longer", "b        100"]
    print_table([], ["name", "P@1"])
    assert capsys.readouterr().out == "name  P@1\n"


def test_fields_are_aligned(capsys: pytest.CaptureFixture[str]):
    """Each field has a line, with blanks for underscores."""
    print_fields({"kept_rows": 3, "read": 12})
    assert capsys.readouterr().out.splitlines() == ["kept rows  3", "read       12"]
