"""Neighbours by row on disk: what one epoch read from the graph, later epochs read here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from recsys.graph.pages import Edges, Kind, joined, no_edges, sorted_edges
from recsys.graph.schema import Label
from recsys.model.ranges import joined_ranges

Rows = npt.NDArray[np.int64]
Fetch = Callable[[Rows], Mapping[Kind, Edges]]

_PLACE = np.dtype([("first", np.int64), ("held", np.int32)])
"Where a row's edges begin, and their number plus one; 0 for a row that is not held."
_EDGE = np.dtype([("target", np.int32), ("clicks", np.int32)])


class PageCache:
    """Edges in files that are mapped, not read into the heap: an index per label and kind, and one file of edges.

    A row's edges of a kind are held whole or not at all. Every process has its own; it lives as long as the training.

    Args:
        directory: Existing directory for the files; what lies there from before is overwritten.
        rows: Label to number of rows.
        limit: Bytes of edges after which nothing more is kept, and the graph is asked for the rest each time.
    """

    def __init__(self, directory: Path, rows: Mapping[str, int], limit: int) -> None:
        self._directory = directory
        self._rows = rows
        self._limit = limit
        self._places: dict[tuple[Label, Kind], npt.NDArray[np.void]] = {}
        self._path = directory / "pages.edges"
        self._path.write_bytes(b"")
        self._edges = 0

    def read(self, label: Label, rows: Rows, kinds: Sequence[Kind], fetch: Fetch) -> dict[Kind, Edges]:
        """Return the edges of ``kinds`` that leave ``rows``, in order of source and target.

        Args:
            label: Of the rows.
            rows: Distinct rows, in any order.
            kinds: Relationship types to follow, each with the label that it leads to.
            fetch: Asks the graph for all kinds of the rows that are not held.
        """
        places = {kind: self._place(label, kind) for kind in kinds}
        held = self._held_rows(label, rows, kinds)
        there, asked = np.sort(rows[held]), np.sort(rows[~held])
        fetched = fetch(asked) if len(asked) else {}
        found = {}
        for kind, place in places.items():
            parts = [fetched[kind]] if fetched else []
            if len(there):
                parts.append(self._held(place, there))
            found[kind] = sorted_edges(vars(joined(parts))) if len(parts) > 1 else next(iter(parts), no_edges())
            if fetched and self._has_room:
                self._keep(place, asked, fetched[kind])
        return found

    def takes(self, label: Label, rows: Rows, kinds: Sequence[Kind]) -> npt.NDArray[np.bool_]:
        """Say of each row whether its edges of ``kinds`` are held, or would be once they are read."""
        if self._has_room:
            return np.ones(len(rows), dtype=bool)
        return self._held_rows(label, rows, kinds)

    @property
    def _has_room(self) -> bool:
        return self._edges * _EDGE.itemsize < self._limit

    def _held_rows(self, label: Label, rows: Rows, kinds: Sequence[Kind]) -> npt.NDArray[np.bool_]:
        held = [self._place(label, kind)["held"][rows] > 0 for kind in kinds]
        return np.asarray(np.all(held, axis=0), dtype=bool)

    def _place(self, label: Label, kind: Kind) -> npt.NDArray[np.void]:
        if (label, kind) not in self._places:
            path = self._directory / f"pages-{len(self._places)}.index"
            self._places[label, kind] = np.memmap(path, _PLACE, mode="w+", shape=(self._rows[label],))
        return self._places[label, kind]

    def _held(self, place: npt.NDArray[np.void], rows: Rows) -> Edges:
        first, count = place["first"][rows], place["held"][rows].astype(np.int64) - 1
        if not count.any():
            return no_edges()
        edges = np.memmap(self._path, _EDGE, mode="r")[joined_ranges(first, count)]
        return Edges(np.repeat(rows, count), edges["target"].astype(np.int64), edges["clicks"].astype(np.int64))

    def _keep(self, place: npt.NDArray[np.void], rows: Rows, edges: Edges) -> None:
        """Append ``edges``, which are in order of source, as those of ``rows``, which may have none."""
        packed = np.empty(len(edges.source), _EDGE)
        packed["target"], packed["clicks"] = edges.target, edges.clicks
        with self._path.open("ab") as file:
            file.write(packed.tobytes())
        begin = np.searchsorted(edges.source, rows, side="left")
        place["first"][rows] = self._edges + begin
        place["held"][rows] = np.searchsorted(edges.source, rows, side="right") - begin + 1
        self._edges += len(packed)
