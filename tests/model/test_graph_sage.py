"""GraphSAGE."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from recsys.model.graph_sage import GraphSage, Neighbours, encode_nodes, train_graph_sage


def unit(rows: int, width: int, seed: int) -> np.ndarray:
    """Random unit vectors."""
    vectors = np.random.default_rng(seed).normal(size=(rows, width)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@given(st.sets(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1), st.integers(0, 99))
def test_only_edges_are_drawn(pairs: set[tuple[int, int]], seed: int):
    """A node with neighbours draws as many as asked for, all of them its own; a node without draws none."""
    nodes, neighbours = np.array(sorted(pairs)).T
    graph = Neighbours.from_pairs(nodes, neighbours, 6)
    asked = np.array([0, 3, 3, 5])
    position, drawn = graph.sample(asked, 4, np.random.default_rng(seed))
    assert set(zip(asked[position].tolist(), drawn.tolist(), strict=True)) <= pairs
    for place, node in enumerate(asked):
        assert np.sum(position == place) == 4 * bool(any(source == node for source, _ in pairs))


def test_two_layers_by_hand():
    """Identity weights: node 0 sees 1, which sees 2: h¹(1) = relu(x2 + x1), h²(0) = h¹(1) + relu(x0), then + x0."""
    features = np.array([[1, 0], [0, 1], [0, 1]], np.float32)
    model = GraphSage(features, Neighbours.from_pairs(np.array([0, 1]), np.array([1, 2]), 3))
    with torch.no_grad():
        for layer in (model.first, model.second):
            layer.lin_l.weight.copy_(torch.eye(2))
            layer.lin_r.weight.copy_(torch.eye(2))
            layer.lin_l.bias.zero_()
    (found,) = encode_nodes(model, np.array([0]), seed=0)
    # h¹(0) = relu(x1 + x0) = (1, 1); h¹(1) = relu(x2 + x1) = (0, 2); h²(0) = (0, 2) + (1, 1); + x0 = (2, 3)
    assert found == pytest.approx(np.array([2, 3]) / 13**0.5)
    with torch.no_grad():
        (alone,) = model.alone(torch.tensor([[1.0, 0.0]])).numpy()
    assert alone == pytest.approx([1, 0])


def test_the_query_that_is_asked_is_not_seen():
    """With its only neighbour left out a node is encoded like one without edges."""
    model = GraphSage(unit(2, 4, 0), Neighbours.from_pairs(np.array([0]), np.array([1]), 2))
    rng = np.random.default_rng(0)
    with torch.no_grad():
        hidden = model(np.array([0]), rng, without=np.array([1]))[0]
        seen = model(np.array([0]), rng)[0]
    assert not torch.allclose(hidden, seen)


def test_training_brings_queries_to_their_items():
    """Ten queries and their items of unrelated texts: after training each query's own item is mostly the nearest."""
    features = unit(20, 16, 1)
    clicks = csr_array(np.eye(10))
    rows = np.arange(10)
    model = GraphSage(features, Neighbours.from_pairs(rows + 10, rows, 20))
    train_graph_sage(model, clicks, 10, epochs=200, batch_size=10, seed=0)
    queries, items = encode_nodes(model, rows, 0), encode_nodes(model, rows + 10, 0)
    assert np.mean((queries @ items.T).argmax(axis=1) == rows) >= 0.8
