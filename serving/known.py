"""Looks up single rows of a run's table without reading the table."""

from __future__ import annotations

import difflib
import threading
from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate, islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recsys.core.run import Vectors
from recsys.core.text import normalise, query_id

Rows = npt.NDArray[np.int64]

CLOSE_AMONG = 50_000
"Ids that are compared for close matches; more would keep the user waiting."


class KnownRows:
    """Rows of ``queries.parquet`` or ``items.parquet`` by id or by text; each column is read when first needed.

    Threads may share it.
    """

    def __init__(self, path: Path) -> None:
        self._file = pq.ParquetFile(path, memory_map=True)
        self._reading = threading.Lock()

    def row_of_id(self, external_id: str) -> int | None:
        """Return the row with this id, or None."""
        hash_N, row_N = self._hashes
        wanted = hash(external_id)
        first, end = np.searchsorted(hash_N, wanted), np.searchsorted(hash_N, wanted, side="right")
        return next((row for row in row_N[first:end].tolist() if self.id(row) == external_id), None)

    def row_of_text(self, text: str) -> int | None:
        """Return the row whose text is the same after :func:`recsys.core.text.normalise`, or None."""
        row = self.row_of_id(query_id(text))
        return self._rows_by_text.get(normalise(text)) if row is None else row

    def id(self, row: int) -> str:
        """Return the id of a row."""
        external_id: str = self._ids[row].as_py()
        return external_id

    def vector(self, row: int) -> Vectors:
        """Return the vector of a row, shape (width,)."""
        group, inside = self._place(row)
        with self._reading:
            cell = self._file.read_row_group(group, columns=["vector"])["vector"][inside]
        return cell.values.to_numpy().astype(np.float32)  # type: ignore[no-any-return]

    def rows_of_ids(self, external_ids: Sequence[str]) -> list[int | None]:
        """Return the row of each id, or None, in one look through all ids."""
        found: list[int | None] = pc.index_in(pa.array(external_ids, pa.string()), value_set=self._ids).to_pylist()
        return found

    def cells(self, rows: Sequence[int], columns: Sequence[str]) -> list[dict[str, Any]]:
        """Return these columns of these rows; a column that the table lacks is left out. Each group is read once."""
        there = [column for column in columns if column in self._file.schema_arrow.names]
        by_group: dict[int, list[tuple[int, int]]] = {}
        for position, row in enumerate(rows):
            group, inside = self._place(row)
            by_group.setdefault(group, []).append((position, inside))
        found: list[dict[str, Any]] = [{}] * len(rows)
        for group, places in by_group.items():
            with self._reading:
                page = self._file.read_row_group(group, columns=there)
            for position, inside in places:
                found[position] = {column: page[column][inside].as_py() for column in there}
        return found

    def close_ids(self, external_id: str) -> list[str]:
        """Return up to three ids that look like ``external_id``, best first."""
        known = (i.as_py() for i in islice(self._ids, CLOSE_AMONG))
        return difflib.get_close_matches(external_id, list(known), n=3, cutoff=0.7)

    def _place(self, row: int) -> tuple[int, int]:
        group = bisect_right(self._starts, row) - 1
        return group, row - self._starts[group]

    @cached_property
    def _starts(self) -> list[int]:
        """First row of each group."""
        metadata = self._file.metadata
        sizes = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
        return [0, *accumulate(sizes[:-1])]

    @cached_property
    def _hashes(self) -> tuple[Rows, Rows]:
        """Hashes of all ids, ascending, and their rows: 16 bytes per id, where a dict would keep every string twice."""
        hash_N = np.array([hash(external_id) for external_id in self._ids.to_pylist()], np.int64)
        row_N = np.argsort(hash_N, kind="stable")
        return hash_N[row_N], row_N

    @cached_property
    def _ids(self) -> Any:
        with self._reading:
            return self._file.read(columns=["id"])["id"].combine_chunks()

    @cached_property
    def _rows_by_text(self) -> dict[str, int]:
        with self._reading:
            texts = self._file.read(columns=["text"])["text"].to_pylist()
        return {normalise(text): row for row, text in reversed(list(enumerate(texts)))}
