"""What the metadata says of items."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recsys.core.settings import TrainSettings
from recsys.graph.client import Graph
from recsys.graph.relations import Relation, register
from recsys.model.anchors import anchors_of_items, mean_of_anchors, relations_of_items
from recsys.model.composition import Composition, with_anchors
from recsys.model.data import read_data
from recsys.model.encode_rows import encode_rows
from recsys.model.encoder import load_encoder
from recsys.model.features import make_features
from recsys.model.snapshot import take_snapshot


def test_text_and_anchors_worked_by_hand():
    """(0.6, 0.8) + 0.5 · (1, 0) = (1.1, 0.8); without anchors, or with none of their weight, the text stays."""
    text, anchors = np.array([[0.6, 0.8]], np.float32), np.array([[1.0, 0.0]], np.float32)
    summed = with_anchors(text, anchors, Composition(0.0, 0.0, anchors=0.5))
    np.testing.assert_allclose(summed, [[1.1, 0.8]], atol=1e-6)
    assert with_anchors(text, anchors, Composition(2.0, 1.0)) is text
    assert with_anchors(text, None, Composition(0.0, 0.0, anchors=0.5)) is text


def test_every_relation_counts_alike(small: Graph, twin):
    """The mean over an item's relations of the means of its anchors, by hand for each item; 0 without anchors."""
    anchors = np.random.default_rng(0).normal(size=(12, 4)).astype(np.float32)
    found = mean_of_anchors(small, take_snapshot(small), anchors)
    relations = [pairs for (_, label), pairs in twin.links.items() if label == "Item"]
    assert len(relations) == 2
    for item, vector in enumerate(found):
        rows = [[a for i, a in sorted(pairs) if i == item] for pairs in relations]
        means = [anchors[some].mean(axis=0) for some in rows if some]
        np.testing.assert_allclose(vector, np.mean(means, axis=0) if means else np.zeros(4), atol=1e-6)


def test_later_anchors_and_what_walks_derived_count_for_nothing(small: Graph, twin, grow):
    """The snapshot's rows bound what is read, and a relation is not counted twice."""
    register(small, [Relation("CATEGORY_WALKED", "Item", "Anchor", "derived")])
    snapshot, anchors = take_snapshot(small), np.eye(12, dtype=np.float32)
    before = mean_of_anchors(small, snapshot, anchors)
    assert {relation.name for relation in relations_of_items(snapshot)} == {name for name, _ in twin.links}
    grow(small)
    np.testing.assert_array_equal(mean_of_anchors(small, snapshot, anchors), before)


@pytest.mark.parametrize("relations", [None, ()])
def test_anchors_are_encoded_where_items_have_any(
    small: Graph, settings: TrainSettings, tmp_path: Path, relations: tuple[str, ...] | None
):
    """They are vectors of the encoder; without a relation of items there are none."""
    data = read_data(small, take_snapshot(small, relations), tmp_path, 0.2)
    model = load_encoder(settings.encoder, 32)
    features = make_features(model, data.texts)
    found = anchors_of_items(model, features, data, small, 4)
    if relations == ():
        assert found is None
    else:
        vectors = encode_rows(model, features, "Anchor", np.arange(12), 4)
        np.testing.assert_allclose(found, mean_of_anchors(small, data.snapshot, vectors), atol=1e-6)
