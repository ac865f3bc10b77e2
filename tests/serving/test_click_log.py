"""The click log: files that grow are hidden, files that are seen are whole, and ingest reads them without flags."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from recsys.ingest.clean import CLICKS
from recsys.ingest.files import find_files
from recsys.ingest.held_out import read_held_out
from recsys.ingest.read import map_columns
from recsys.ingest.rows import read_rows
from recsys.serving.click_log import Click, ClickLog

NASTY = 'quotes " and \\ and\nlines and \u2028 and 語 and </script>'


class Clock:
    """A time that goes on when it is told to."""

    at = datetime(2024, 5, 6, 7, 8, 9, 123456, UTC)


@pytest.fixture
def clock():
    """A clock."""
    return Clock()


@pytest.fixture
def log(tmp_path, clock):
    """A log whose files grow for ten minutes."""
    return ClickLog(tmp_path / "clicks", 10, now=lambda: clock.at)


def click(log, text="red", item="item-1"):
    """Return a click of now."""
    return Click("query-1", text, item, "Red lamp", "s1", log.now(), 1, "graph", "run-a")


def test_ingest_reads_every_column_without_flags(log, tmp_path):
    """The rows, cleaned as an ingest of clicks cleans them, have id, text, item, title, session and time as logged."""
    for text in ("red", NASTY):
        log.add(click(log, text))
    log.close()
    (source,) = map_columns(find_files([str(tmp_path / "clicks")]), CLICKS, {})
    rows = [CLICKS.clean(row, source.columns) for row, reason, *_ in read_rows(source.file, 0) if reason is None]
    at = 1_714_979_289_123
    assert rows == [("query-1", text, "item-1", "Red lamp", "s1", at, 1) for text in ("red", NASTY)]


def test_a_file_that_grows_is_hidden_and_a_file_that_is_seen_is_whole(log, tmp_path, clock):
    """Ten minutes after its first click a file is seen, without another click; later ones are in the next."""
    folder = tmp_path / "clicks"
    log.add(click(log))
    assert [path.name[0] for path in folder.iterdir()] == ["."]
    clock.at += timedelta(minutes=9)
    log.add(click(log))
    clock.at += timedelta(minutes=1)
    log.turn()
    (first,) = folder.iterdir()
    before = first.read_bytes()
    assert (first.name[0] != ".", len(before.splitlines())) == (True, 2)
    log.add(click(log))
    log.close()
    log.close()
    assert first.read_bytes() == before
    assert len(read_held_out(str(folder), {}).kept) == 3


def test_what_a_killed_process_left_is_finished_by_the_next(tmp_path):
    """Each click is on disk when it was answered, and the file shows itself when somebody starts again."""
    folder = tmp_path / "clicks"
    script = f"""
import os
from pathlib import Path
from recsys.serving.click_log import Click, ClickLog
log = ClickLog(Path({str(folder)!r}), 10)
log.add(Click("q", "red", "item-1", "Red", "s", log.now(), 1, "graph", "a"))
os.kill(os.getpid(), 9)
"""
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -9
    running = ClickLog(folder, 10)
    running.add(click(running))
    ClickLog(folder, 10)  # another one leaves the file of a process that lives alone
    (seen,) = [path for path in folder.iterdir() if path.name[0] != "."]
    assert json.loads(seen.read_text(encoding="utf-8"))["item_id"] == "item-1"
    assert running.clicks == 1


def test_nothing_is_made_before_the_first_click(log, tmp_path):
    """A server that nobody clicks in leaves no trace."""
    log.turn()
    log.close()
    assert not (tmp_path / "clicks").exists()
