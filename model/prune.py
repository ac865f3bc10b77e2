"""Which edges the graph terms draw from: those whose ends the encoder finds alike (RAMEN, arXiv 2402.18434, section 3).

Shape letters: E edges of a page, P pruned edges of a relation.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sentence_transformers import SentenceTransformer

from recsys.graph.client import Graph
from recsys.graph.pages import Edges
from recsys.graph.relations import Relation
from recsys.graph.schema import Label
from recsys.model.composition import Vectors
from recsys.model.encode_rows import encode_rows
from recsys.model.features import Features
from recsys.model.kept import kept, last_turn
from recsys.model.scratch import Scratch
from recsys.model.snapshot import Snapshot, snapshot_edges

Rows = npt.NDArray[np.int64]

_BLOCK = 1 << 12


class Pruning:
    """Edges whose ends have a cosine of 0 or less under the encoder are not drawn, until the next look.

    Every look goes through all edges of the snapshot, so that an edge may come back. What was pruned is kept in
    ``directory``, as hard negatives are; the graph stays as it is, and masks still know the pruned edges.

    Args:
        model: The encoder in training.
        features: Its inputs by row.
        graph: Where the edges are read.
        snapshot: Its relations are pruned.
        after: Epochs at the start in which nothing is pruned.
        every: Epochs between looks, 1 or more.
        directory: Of the training in progress.
        batch_size: Texts encoded at once.
    """

    def __init__(
        self,
        model: SentenceTransformer,
        features: Features,
        graph: Graph,
        snapshot: Snapshot,
        *,
        after: int,
        every: int,
        directory: Path,
        batch_size: int,
    ) -> None:
        self._model = model
        self._features = features
        self._graph = graph
        self._snapshot = snapshot
        self._after = after
        self._every = every
        self._directory = directory
        self._batch_size = batch_size
        self._pruned: dict[Relation, Rows] = {}

    def start(self, epoch: int) -> None:
        """Make ready for ``epoch``: look at all edges if it is its turn and what was pruned is not kept already."""
        self._pruned = {}
        if epoch < self._after:
            return
        turn = last_turn(epoch, self._after, self._every)
        vectors: dict[Label, Vectors] = {}
        for number, relation in enumerate(self._snapshot.relations):
            path = self._directory / f"pruned-{turn}-{number}.npy"
            self._pruned[relation] = kept(path, partial(self._prune, relation, vectors))

    def keep(self, relation: Relation, edges: Edges) -> Edges:
        """Return the ``edges`` of ``relation`` that may be drawn at present, in their order."""
        pruned_P = self._pruned.get(relation)
        if pruned_P is None or not len(pruned_P):
            return edges
        key_E = self._keys(relation, edges)
        place_E = np.searchsorted(pruned_P, key_E).clip(max=len(pruned_P) - 1)
        kept_E = pruned_P[place_E] != key_E
        return edges.where(kept_E)

    def _keys(self, relation: Relation, edges: Edges) -> Rows:
        return np.asarray(edges.source * self._snapshot.rows[relation.target] + edges.target)

    def _prune(self, relation: Relation, vectors: dict[Label, Vectors]) -> Rows:
        """Return the keys of the edges that are pruned, ascending; ``vectors`` are made as they are needed."""
        scratch = Scratch(self._directory)
        for label in (relation.source, relation.target):
            if label not in vectors:
                rows = np.arange(self._snapshot.rows[label])
                vectors[label] = encode_rows(self._model, self._features, label, rows, self._batch_size, scratch)
        parts = [np.empty(0, dtype=np.int64)]
        for edges in snapshot_edges(self._graph, self._snapshot, relation):
            unlike_E = cosines(vectors[relation.source], vectors[relation.target], edges) <= 0
            parts.append(self._keys(relation, edges)[unlike_E])
        return np.concatenate(parts)


def cosines(source_vectors: Vectors, target_vectors: Vectors, edges: Edges) -> npt.NDArray[np.float32]:
    """Return E(source) · E(target) of each edge, of unit vectors given by row."""
    parts = [np.empty(0, dtype=np.float32)]
    for first in range(0, len(edges.source), _BLOCK):
        part = slice(first, first + _BLOCK)
        parts.append(np.einsum("ed,ed->e", source_vectors[edges.source[part]], target_vectors[edges.target[part]]))
    return np.concatenate(parts)
