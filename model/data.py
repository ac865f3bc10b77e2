"""Everything of the graph that a training holds: texts, clicks and the split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from recsys.graph.client import Graph
from recsys.graph.schema import LABELS, Label
from recsys.model.clicks import Clicks, read_clicks
from recsys.model.snapshot import Snapshot
from recsys.model.split import held_out
from recsys.model.texts import Texts, own_pages

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class TrainingData:
    """What is read before the first step.

    Attributes:
        snapshot: Bounds of what is read.
        texts: Texts of every label.
        clicks: All clicked pairs.
        held_out: True for the query rows that are held out.
        self_items: For each query row the item row that is the same page, −1 for none.
    """

    snapshot: Snapshot
    texts: Mapping[Label, Texts]
    clicks: Clicks
    held_out: npt.NDArray[np.bool_]
    self_items: Rows

    @cached_property
    def training_clicks(self) -> Clicks:
        """Clicks of the queries that are not held out, which all parts of the training share."""
        return self.clicks.of_queries(~self.held_out) if self.held_out.any() else self.clicks

    @property
    def training_rows(self) -> Rows:
        """Rows of the queries that clicked something and are not held out, ascending."""
        return np.unique(self.training_clicks.query)

    def without_relations(self) -> TrainingData:
        """Return the same with no relation to draw from."""
        return replace(self, snapshot=replace(self.snapshot, relations=(), edges={}))


def read_data(graph: Graph, snapshot: Snapshot, directory: Path, validation_share: float) -> TrainingData:
    """Read texts and clicks of ``snapshot``; text files go to ``directory``.

    Args:
        graph: Where to read.
        snapshot: What to read.
        directory: Existing directory for files that live as long as the training.
        validation_share: Share of queries held out; where it would take every query with clicks, none is held out.
    """
    texts = {label: Texts.fetch(graph, label, snapshot.rows[label], directory / f"{label}.arrow") for label in LABELS}
    clicks = read_clicks(graph, snapshot)
    marks = held_out(texts["Query"].ids().to_pylist(), validation_share)
    if marks[np.unique(clicks.query)].all():
        marks = np.zeros_like(marks)
    return TrainingData(snapshot, texts, clicks, marks, own_pages(texts["Query"], texts["Item"]))
