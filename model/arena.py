"""What all systems of a comparison share: the training graph, the test task and the clock.

Shape letters: Q queries, I items, D width.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np
import psutil
from scipy.sparse import csr_array
from sentence_transformers import SentenceTransformer

from recsys.core.run import Table
from recsys.core.settings import TrainSettings
from recsys.graph.client import Graph
from recsys.model.data import TrainingData, read_data
from recsys.model.encoder import load_encoder, resolve
from recsys.model.held_out import Encoded
from recsys.model.search import encode_texts
from recsys.model.snapshot import take_snapshot
from recsys.model.task import Click, Task, build_task

T = TypeVar("T")

_LOOKS_PER_SECOND = 5


@dataclass(frozen=True)
class Cost:
    """What something took.

    Attributes:
        seconds: Wall time.
        peak: Most resident memory of this process meanwhile, bytes.
    """

    seconds: float
    peak: int


class Arena:
    """The graph's training data and a test log, read once.

    Args:
        graph: Live graph.
        settings: Of the default training; the other systems take what they have in common from it.
        directory: For what is read; exists.
        log: Test clicks.
        filtered: (query id, item id) pairs that take no part.
        validation: Click log that our trainings choose by; without it each holds out a share of the graph's queries.

    Raises:
        NoClicksError, UnknownRelationError: The graph cannot be trained on.
        NoGoldError: The filter leaves nothing to measure on.
    """

    def __init__(
        self,
        graph: Graph,
        settings: TrainSettings,
        directory: Path,
        log: Iterable[Click],
        filtered: Collection[tuple[str, str]] = (),
        validation: Sequence[Click] | None = None,
    ) -> None:
        self.graph = graph
        self.settings = settings.model_copy(update={"encoder": resolve(settings.encoder)})
        snapshot = take_snapshot(graph, settings.relations)
        self.data: TrainingData = read_data(graph, snapshot, directory, 0.0)
        self.filtered = filtered
        self.validation = validation
        texts = self.data.texts["Item"]
        clicks, degree = self.data.clicks.per_item()
        nothing = np.empty((len(texts), 0), np.float32)
        items = Table(texts.ids().to_pylist(), texts.all_texts(), clicks, degree, [{}] * len(texts), nothing)
        self.item_texts, self.degree_I = items.texts, degree
        log = list(log)
        self.task: Task = build_task(log, items, filtered)
        self.query_texts = self.data.texts["Query"].all_texts()

    @cached_property
    def clicks(self) -> csr_array:
        """Training clicks with their counts."""
        c = self.data.clicks
        return csr_array((c.clicks.astype(np.float64), (c.query, c.item)), shape=(c.n_queries, c.n_items))

    @cached_property
    def untrained(self) -> SentenceTransformer:
        """The encoder that every training starts from."""
        return load_encoder(self.settings.encoder, self.settings.max_length)

    @cached_property
    def features(self) -> Encoded:
        """Vectors of all items and queries under the untrained encoder."""
        return Encoded(encode_texts(self.untrained, self.item_texts), encode_texts(self.untrained, self.query_texts))


def measured(work: Callable[[], T]) -> tuple[T, Cost]:
    """Do ``work`` and say what it took."""
    watch = _Watch()
    watch.start()
    began = time.perf_counter()
    try:
        result = work()
    finally:
        seconds = time.perf_counter() - began
        watch.ended.set()
        watch.join()
    return result, Cost(seconds, watch.peak)


class _Watch(threading.Thread):
    """Looks at this process's memory until told to end."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.ended = threading.Event()
        self._process = psutil.Process()
        self.peak = self._process.memory_info().rss

    def run(self) -> None:
        while not self.ended.wait(1 / _LOOKS_PER_SECOND):
            self.peak = max(self.peak, self._process.memory_info().rss)
