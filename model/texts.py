"""Ids and texts of a label by row, in memory-mapped files: strings cross the wire once and stay out of the heap."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recsys.core.progress import progress
from recsys.core.text import normalise
from recsys.graph.client import Graph
from recsys.graph.pages import PAGE_ROWS, node_pages
from recsys.graph.schema import Label

_SCHEMA = pa.schema([("id", pa.string()), ("text", pa.string()), ("payload", pa.string())])


@dataclass(frozen=True)
class TextsPage:
    """Successive rows.

    Attributes:
        rows: Which.
        ids: Their external ids.
        texts: Their texts.
        payloads: Their further properties; empty of queries.
    """

    rows: slice
    ids: list[str]
    texts: list[str]
    payloads: list[Any]


class Texts:
    """Read-only columns of one label, one record batch per :data:`PAGE_ROWS` rows.

    Args:
        path: File that :meth:`fetch` wrote.
    """

    def __init__(self, path: Path) -> None:
        reader = pa.ipc.open_file(pa.memory_map(str(path)))
        self._pages = [reader.get_batch(i) for i in range(reader.num_record_batches)]
        self._rows = sum(page.num_rows for page in self._pages)

    @classmethod
    def fetch(cls, graph: Graph, label: Label, stop: int, path: Path) -> Texts:
        """Read the nodes of ``label`` with rows below ``stop`` into a file at ``path``."""
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, _SCHEMA) as writer:
            pages = node_pages(graph, label, stop, properties=label == "Item")
            total = -(-stop // PAGE_ROWS)
            for page in progress(pages, f"texts of {label.lower()} nodes", total=total, unit="page"):
                payloads = [json.dumps(p, ensure_ascii=False, default=str) for p in page.properties]
                columns = [page.ids, page.texts, payloads or ["{}"] * len(page.ids)]
                writer.write_batch(pa.record_batch([pa.array(c, pa.string()) for c in columns], schema=_SCHEMA))
        return cls(path)

    def __len__(self) -> int:
        return int(self._rows)

    def take(self, rows: npt.NDArray[np.int64]) -> list[str]:
        """Return the texts of ``rows``, in their order."""
        out = np.empty(len(rows), dtype=object)
        pages = rows // PAGE_ROWS
        for page in np.unique(pages):
            here = pages == page
            column = self._pages[page].column("text")
            out[here] = column.take(pa.array(rows[here] % PAGE_ROWS)).to_numpy(zero_copy_only=False)
        texts: list[str] = out.tolist()
        return texts

    def ids(self) -> pa.ChunkedArray:
        """Return the ids of all rows."""
        return pa.chunked_array([page.column("id") for page in self._pages], pa.string())

    def all_ids(self) -> Iterator[str]:
        """Yield the ids of all rows."""
        for page in self._pages:
            yield from page.column("id").to_pylist()

    def all_texts(self) -> list[str]:
        """Return the texts of all rows."""
        return [text for page in self._pages for text in page.column("text").to_pylist()]

    def pages(self) -> Iterator[TextsPage]:
        """Yield all rows, page by page."""
        start = 0
        for page in self._pages:
            ids, texts, payloads = (page.column(name).to_pylist() for name in _SCHEMA.names)
            yield TextsPage(slice(start, start + len(ids)), ids, texts, [json.loads(payload) for payload in payloads])
            start += len(ids)


def own_pages(queries: Texts, items: Texts) -> npt.NDArray[np.int64]:
    """Return for each query row the item row that is the page itself, −1 where there is none.

    It has the same id and the same normalised text: ids alone may meet by chance.
    """
    matches = pc.index_in(queries.ids(), value_set=items.ids().combine_chunks())
    item_rows = np.asarray(matches.fill_null(-1).to_numpy(), dtype=np.int64)
    met = np.flatnonzero(item_rows >= 0)
    texts = zip(queries.take(met), items.take(item_rows[met]), strict=True)
    chance = np.array([normalise(query) != normalise(item) for query, item in texts], dtype=bool)
    item_rows[met[chance]] = -1
    return item_rows
