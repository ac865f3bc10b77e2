from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.ingest.clean import CLICKS, LINKS, NODES
from recsys.ingest.clicks import load_clicks
from recsys.ingest.job import Job
from recsys.ingest.links import load_links
from recsys.ingest.tally import TooManyRejectsError, allowed_rejects


@given(st.integers(0, 10**9), st.integers(0, 100))
def test_a_share_is_of_the_rows_read(read: int, percent: int) -> None:
    """It is rounded down, so that 1 % of 99 rows is none; a number is itself."""
    assert allowed_rejects(f"{percent}%", read) == read * percent // 100
    assert allowed_rejects(str(percent), read) == percent


def test_too_many_bad_rows_stop_before_anything_is_written(
    job: Job, sources: Callable, dump: Callable, tmp_path: Path
) -> None:
    """Two bad rows of four are within half and within two, and beyond less."""
    path = tmp_path / "a.csv"
    path.write_text("query,item,count\na,i1,1\nb,i2,1\nc,,1\nd,i3,0\n")
    for limit in ("49.9%", "1"):
        with pytest.raises(TooManyRejectsError, match=r"2 of 4 rows.*bad_count 1 as in .*a\.csv, empty_item_id 1"):
            load_clicks(replace(job, max_rejects=limit), sources(CLICKS, path))
    assert dump()["Query"] == []
    assert not job.workspace.exists()
    assert load_clicks(replace(job, max_rejects="50%"), sources(CLICKS, path)).kept == 2


def test_bad_titles_stop_the_links_too(job: Job, sources: Callable, dump: Callable, tmp_path: Path) -> None:
    """A table of texts is checked before the links that it belongs to are written."""
    (tmp_path / "links.csv").write_text("source,relation,target\na,in,b\n")
    (tmp_path / "nodes.csv").write_text("node_id,title\nb,B\n,C\n")
    with pytest.raises(TooManyRejectsError):
        load_links(
            replace(job, max_rejects="0"),
            sources(LINKS, tmp_path / "links.csv"),
            sources(NODES, tmp_path / "nodes.csv"),
        )
    assert dump()["Anchor"] == []
