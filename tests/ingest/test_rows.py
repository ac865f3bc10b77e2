"""Values of a file as Python has them."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.ingest.files import find_files
from recsys.ingest.rows import read_rows

YEARS = (-62_135_596_800, 253_402_300_799)
"Seconds of the years that datetime has."


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(moments=st.lists(st.none() | st.integers(*YEARS)), unit=st.sampled_from(["s", "ms", "us"]), data=st.data())
@pytest.mark.parametrize("zone", [None, "UTC"])
def test_times_are_those_of_pyarrow(
    tmp_path: Path, moments: list[int | None], unit: str, data: st.DataObject, zone: str | None
) -> None:
    """A time of a Parquet file, before 1970 or after, with a zone or without, is what ``to_pylist`` gives."""
    scale = {"s": 1, "ms": 1_000, "us": 1_000_000}[unit]
    fine = [None if moment is None else moment * scale + data.draw(st.integers(0, scale - 1)) for moment in moments]
    table = pa.table({"when": pa.array(fine, pa.timestamp(unit, zone))})
    path = tmp_path / "a.parquet"
    pq.write_table(table, path)
    (file,) = find_files([str(path)])
    rows = [row for part in range(file.parts) for row, *_ in read_rows(file, part)]
    assert [row and row["when"] for row in rows] == pq.read_table(path)["when"].to_pylist()
