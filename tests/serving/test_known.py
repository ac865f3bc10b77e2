"""Single rows of a table, whatever row group they are in."""

from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from recsys.core.run import Table, write_table
from recsys.core.text import query_id
from recsys.serving.known import KnownRows


def write(path, texts, ids=None):
    """Write a table with these texts and distinct vectors."""
    rows = len(texts)
    counts = np.zeros(rows, dtype=np.int64)
    vectors = np.arange(rows * 3, dtype=np.float32).reshape(rows, 3)
    write_table(path, Table(ids or [f"q{r}" for r in range(rows)], texts, counts, counts, [{}] * rows, vectors))
    return vectors


@given(group=st.integers(1, 9))
def test_a_row_is_read_from_its_row_group(tmp_path_factory, group):
    """The vector of every row is the one written, in whatever groups the file stores its rows."""
    path = tmp_path_factory.mktemp("known") / "queries.parquet"
    vectors = write(path, [f"text {r}" for r in range(9)])
    pq.write_table(pq.read_table(path), path, row_group_size=group)
    known = KnownRows(path)
    for row in range(9):
        assert known.row_of_id(f"q{row}") == row
        np.testing.assert_array_equal(known.vector(row), vectors[row])


def test_a_text_is_found_by_its_id_and_by_its_normal_form(tmp_path):
    """Spelling variants find the row; of two rows with one text the first counts; others find none."""
    path = tmp_path / "queries.parquet"
    write(path, ["Straße  ", "unrelated", "Red Shoe", "red shoe"], ["a", query_id("blue lamp"), "c", "d"])
    known = KnownRows(path)
    assert [known.row_of_text(t) for t in ("STRASSE", "Blue  Lamp", "RED shoe", "green")] == [0, 1, 2, None]
