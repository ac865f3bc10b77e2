from __future__ import annotations

import datetime as dt
import gzip
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from recsys.ingest.clean import CLICKS, LINKS, Kind, clicks_by
from recsys.ingest.files import find_files
from recsys.ingest.fingerprint import fingerprints
from recsys.ingest.layout import BY_NAME, Layout
from recsys.ingest.read import map_columns
from recsys.ingest.rules import Rules

ROWS = "query,item,type,title\nred,i1,click,Red\n"
EVENTS = {"click": 1, "purchase": 3}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log of one row."""
    path = tmp_path / "dt=2024-01-01" / "a.csv"
    path.parent.mkdir()
    path.write_text(ROWS)
    return path


def fingerprint(
    path: Path, kind: Kind = CLICKS, layout: Layout = BY_NAME, most: int | None = None, **named: str
) -> str | None:
    """Return what the one file at ``path`` is known by."""
    sources = map_columns(find_files([str(path)], layout), kind, named, "HAS" if kind is LINKS else None)
    return fingerprints(sources, kind, most)[0]


def test_its_name_and_place_do_not_matter(log: Path) -> None:
    """A copy is known by the same."""
    copy = log.with_name("b.csv")
    copy.write_bytes(log.read_bytes())
    assert fingerprint(copy) == fingerprint(log) == fingerprint(log)


def test_whatever_decides_what_rows_mean_does(log: Path) -> None:
    """Other bytes, packing, columns, layout, events, times, zones, limits, dates of folders and kinds are others."""
    zone, pattern = ZoneInfo("Europe/Berlin"), "%d/%m/%Y"
    known = [
        fingerprint(log),
        fingerprint(log, most=9),
        fingerprint(log, query_id="query"),
        fingerprint(log, layout=Layout(quotes=False)),
        fingerprint(log, layout=Layout(columns=("query", "item", "a", "b"))),
        fingerprint(log, clicks_by(Rules(EVENTS)), event="type"),
        fingerprint(log, clicks_by(Rules({**EVENTS, "purchase": 4})), event="type"),
        fingerprint(log, clicks_by(Rules({}, pattern))),
        fingerprint(log, clicks_by(Rules({}, None, zone))),
        fingerprint(log, LINKS, source="query", target="item"),
        fingerprint(log, LINKS, source="item", target="query"),
    ]
    other = log.parent.parent / "dt=2024-01-02" / "a.csv"
    other.parent.mkdir()
    other.write_text(ROWS)
    known.append(fingerprint(other))
    known.append(fingerprint(other, layout=Layout(delimiter=";", columns=("query", "item"))))
    other.write_text(ROWS.replace("red", "Red"))
    known.append(fingerprint(other))
    packed = other.with_name("a.csv.gz")
    packed.write_bytes(gzip.compress(ROWS.encode()))
    known.append(fingerprint(packed))
    assert None not in known
    assert len(set(known)) == len(known)
    assert fingerprint(log, clicks_by(Rules({}, None, dt.UTC))) == known[0]


def test_a_file_that_is_gone_has_none(log: Path) -> None:
    """Whoever reads it says what is wrong."""
    sources = map_columns(find_files([str(log)]), CLICKS, {})
    log.unlink()
    assert fingerprints(sources, CLICKS, None) == [None]
