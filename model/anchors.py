"""What the metadata says of an item: the mean of its anchors, which item vectors may be composed with.

Shape letters: A anchors, L items, D embedding width, E edges.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sentence_transformers import SentenceTransformer

from recsys.graph.client import Graph
from recsys.graph.names import unwalked
from recsys.graph.relations import Relation
from recsys.model.composition import Vectors, add_rows
from recsys.model.data import TrainingData
from recsys.model.encode_rows import encode_rows
from recsys.model.features import Features
from recsys.model.scratch import MEMORY, Scratch, pieces
from recsys.model.snapshot import Snapshot, snapshot_edges


def relations_of_items(snapshot: Snapshot) -> Sequence[Relation]:
    """Return the relations from items to anchors, without those that walks derived from one of them."""
    return [r for r in snapshot.relations if (r.source, r.target) == ("Item", "Anchor") and unwalked(r.name) == r.name]


def anchors_of_items(
    model: SentenceTransformer, features: Features, data: TrainingData, graph: Graph, batch_size: int
) -> Vectors | None:
    """Return the mean of each item's anchors, as :func:`mean_of_anchors` does; None where no relation has items.

    Args:
        model: Encoder of the anchors.
        features: Its inputs by row, of anchors at least.
        data: Texts of anchors, and the snapshot.
        graph: Where the edges are read.
        batch_size: Texts encoded at once.
    """
    if not relations_of_items(data.snapshot):
        return None
    rows = np.arange(len(data.texts["Anchor"]))
    anchor_AD = encode_rows(model, features, "Anchor", rows, batch_size, data.scratch)
    return mean_of_anchors(graph, data.snapshot, anchor_AD, data.scratch)


def mean_of_anchors(graph: Graph, snapshot: Snapshot, anchor_AD: Vectors, scratch: Scratch = MEMORY) -> Vectors:
    """Return for each item the mean, over its relations, of the mean vector of its anchors, 0 for none; shape (L, D).

    So every relation counts alike, however many anchors an item has in it.

    Args:
        graph: Where the edges are read.
        snapshot: Its relations of items, and its rows.
        anchor_AD: E(a) of every anchor row.
        scratch: Where the result lives.
    """
    rows = snapshot.rows["Item"]
    mean_LD: Vectors = scratch.zeros((rows, anchor_AD.shape[1]), np.float32)
    relations_L = np.zeros(rows, dtype=np.int64)
    for relation in relations_of_items(snapshot):
        for edges in snapshot_edges(graph, snapshot, relation):
            degree_L = np.bincount(edges.source, minlength=rows)
            add_rows(mean_LD, edges.source, anchor_AD, edges.target, 1 / degree_L[edges.source])
            relations_L += degree_L > 0
    for some in pieces(rows):
        mean_LD[some] /= np.maximum(relations_L[some, None], 1)
    return mean_LD
