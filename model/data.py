"""Everything of the graph that a training holds: texts, clicks and the split."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.graph.client import Graph
from recsys.graph.schema import LABELS, Label
from recsys.model.clicks import Clicks, read_clicks
from recsys.model.page_cache import PageCache
from recsys.model.pairs import PairsByQuery, rows_of_pairs
from recsys.model.scratch import MEMORY, Scratch
from recsys.model.snapshot import Snapshot
from recsys.model.split import held_out
from recsys.model.texts import Texts, own_pages

Rows = npt.NDArray[np.int64]

EXCLUDED = "excluded.parquet"


@dataclass(frozen=True)
class TrainingData:
    """What is read before the first step.

    Attributes:
        snapshot: Bounds of what is read.
        texts: Texts of every label.
        clicks: All clicked pairs.
        held_out: True for the query rows that are held out.
        excluded: Pairs that are neither negatives nor ranked: each query's own page, and those of a filter.
        pages: Neighbours that were read already, for all trainings on this data; None keeps none.
        scratch: Where large arrays live.
    """

    snapshot: Snapshot
    texts: Mapping[Label, Texts]
    clicks: Clicks
    held_out: npt.NDArray[np.bool_]
    excluded: PairsByQuery
    pages: PageCache | None = None
    scratch: Scratch = MEMORY

    @cached_property
    def training_clicks(self) -> Clicks:
        """Clicks of the queries that are not held out, which all parts of the training share."""
        return self.clicks.of_queries(~self.held_out) if self.held_out.any() else self.clicks

    @property
    def training_rows(self) -> Rows:
        """Rows of the queries that clicked something and are not held out, ascending."""
        return self.training_clicks.queries

    def without_relations(self) -> TrainingData:
        """Return the same with no relation to draw from."""
        return replace(self, snapshot=replace(self.snapshot, relations=(), edges={}))


def read_data(
    graph: Graph,
    snapshot: Snapshot,
    directory: Path,
    validation_share: float,
    filtered: Iterable[tuple[str, str]] = (),
    page_cache: int = 0,
) -> TrainingData:
    """Read texts and clicks of ``snapshot``; files of texts, clicks and neighbours go to ``directory``.

    Args:
        graph: Where to read.
        snapshot: What to read.
        directory: Existing directory for files that live as long as the training.
        validation_share: Share of queries held out; where it would take every query with clicks, none is held out.
        filtered: (query id, item id) pairs that are neither negatives nor ranked.
        page_cache: MiB of neighbours that are kept once they were read.
    """
    texts = {label: Texts.fetch(graph, label, snapshot.rows[label], directory / f"{label}.arrow") for label in LABELS}
    scratch = Scratch(directory)
    clicks = read_clicks(graph, snapshot, scratch)
    marks = held_out(texts["Query"].all_ids(), validation_share)
    if marks[clicks.queries].all():
        marks = np.zeros_like(marks)
    pages = PageCache(directory, snapshot.rows, page_cache << 20) if page_cache else None
    excluded = _excluded(texts["Query"], texts["Item"], filtered)
    return TrainingData(snapshot, texts, clicks, marks, excluded, pages, scratch)


def _excluded(queries: Texts, items: Texts, filtered: Iterable[tuple[str, str]]) -> PairsByQuery:
    own = own_pages(queries, items)
    page = np.flatnonzero(own >= 0)
    query, item = rows_of_pairs(filtered, queries, items)
    return PairsByQuery.of(np.concatenate([page, query]), np.concatenate([own[page], item]))


def write_excluded(directory: Path, data: TrainingData) -> None:
    """Write ``excluded.parquet``: columns ``query_id`` and ``item_id``."""
    queries, items = data.texts["Query"].ids(), data.texts["Item"].ids()
    columns = {
        "query_id": queries.take(pa.array(data.excluded.query)),
        "item_id": items.take(pa.array(data.excluded.item)),
    }
    pq.write_table(pa.table(columns), directory / EXCLUDED)


def read_excluded(directory: Path) -> list[tuple[str, str]]:
    """Read what :func:`write_excluded` wrote to a run directory; nothing where a run is from before it was noted."""
    if not (directory / EXCLUDED).is_file():
        return []
    table = pq.read_table(directory / EXCLUDED)
    return list(zip(table["query_id"].to_pylist(), table["item_id"].to_pylist(), strict=True))
