"""From query rows to model inputs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recsys.graph.client import Graph
from recsys.model.batch import Batch, Term
from recsys.model.batch_reader import BatchReader
from recsys.model.collator import BatchCollator, distinct_anchors, term_labels
from recsys.model.draw import Draw
from recsys.model.plan import UniformPlan
from recsys.model.snapshot import take_snapshot
from recsys.model.stream import NeighbourStream
from recsys.model.two_hop import TwoHop

drawn = st.tuples(st.sampled_from(["Query", "Item", "Anchor"]), st.lists(st.integers(0, 9), min_size=2, max_size=6))


def as_term(label, rows: list[int]) -> Term:
    """Return a term that drew ``rows``."""
    mask = np.eye(len(rows), dtype=bool)
    return Term("R", "query", label, Draw(np.arange(len(rows)), np.array(rows), mask))


@given(terms=st.lists(drawn, max_size=5))
def test_each_anchor_is_encoded_once(terms):
    """Whatever terms share, the distinct anchors hold each drawn node once, and indices lead back to what was drawn."""
    batch = Batch(np.arange(6), np.arange(6), np.eye(6, dtype=bool), [as_term(*term) for term in terms])
    anchors = distinct_anchors(batch)
    encoded = [(label, row) for label, rows in anchors.items() for row in rows]
    assert len(encoded) == len(set(encoded))
    assert set(encoded) == {(label, row) for label, rows in terms for row in rows}
    for (label, rows), term in zip(terms, term_labels(batch, anchors), strict=True):
        assert [encoded[i] for i in term["anchor"]] == [(label, row) for row in rows]


@pytest.fixture
def stream(small: Graph, twin):
    """A stream over the small graph."""
    reader = BatchReader(small, take_snapshot(small), twin.excluded)
    with NeighbourStream(reader, UniformPlan(np.array(twin.clicked), 16, seed=0), seed=0) as opened:
        yield opened


class RowsAsInputs:
    """Stands for features: the rows themselves."""

    part_tokens = None

    def __call__(self, nodes):
        """Return the rows, label after label."""
        return {"rows": torch.from_numpy(np.concatenate(list(nodes.values())))}


def columns_of(inputs):
    """Return the rows of each column, as the loss finds their embeddings."""
    assert list(inputs) == ["label", "part0_rows"]
    return {name: inputs["part0_rows"][place] for name, place in inputs["label"]["places"].items()}


def test_columns_are_those_of_the_batch(stream: NeighbourStream, twin):
    """Row i of the inputs is query i with a clicked item of its own, and each term points at linked anchors."""
    rows = next(UniformPlan(np.array(twin.clicked), 16, seed=0).batches(0)).tolist()
    inputs = BatchCollator(stream, RowsAsInputs())([{"row": row} for row in rows])
    columns = columns_of(inputs)
    assert list(columns) == ["query", "item", "anchor"]
    assert columns["query"].tolist() == rows
    items = columns["item"].tolist()
    assert all(pair in twin.clicks for pair in zip(rows, items, strict=True))
    assert inputs["label"]["known"].diagonal().all()
    sides = {"query": rows, "item": items}
    assert len(inputs["label"]["terms"]) == 4
    for term in inputs["label"]["terms"]:
        drew = [sides[term["side"]][position] for position in term["position"]]
        anchors = columns["anchor"][term["anchor"]].tolist()
        linked = set.union(*(pairs for (_, label), pairs in twin.links.items() if label.lower() == term["side"]))
        assert set(zip(drew, anchors, strict=True)) <= linked


def test_neighbours_are_training_queries_of_the_item(small: Graph, twin):
    """With composition each row whose item has another query brings one of them, and never the row's own query."""
    reader = BatchReader(small, take_snapshot(small, []), twin.excluded, two_hop=TwoHop(twin.as_clicks()))
    plan = UniformPlan(np.array(twin.clicked), 16, seed=0)
    rows = next(plan.batches(0)).tolist()
    with NeighbourStream(reader, plan, seed=0) as stream:
        inputs = BatchCollator(stream, RowsAsInputs())([{"row": row} for row in rows])
    columns = columns_of(inputs)
    assert list(columns) == ["query", "item", "neighbour"]
    items = columns["item"].tolist()
    positions = inputs["label"]["neighbour"]["position"].tolist()
    for position, neighbour in zip(positions, columns["neighbour"].tolist(), strict=True):
        assert (neighbour, items[position]) in twin.clicks
        assert neighbour != rows[position]
    assert inputs["label"]["neighbour"]["known"].diagonal().all()


def test_hard_items_bring_their_clickers(small: Graph, twin):
    """Hard items are a column of their own, and the queries they are composed with follow those of the rows."""
    near = type("Near", (), {"draw": lambda _, query_B, rng: 7 * query_B % 30, "start": lambda *_: None})()
    reader = BatchReader(
        small, take_snapshot(small, []), twin.excluded, two_hop=TwoHop(twin.as_clicks()), hard_negatives=near
    )
    plan = UniformPlan(np.array(twin.clicked), 16, seed=0)
    with NeighbourStream(reader, plan, seed=0) as stream:
        inputs = BatchCollator(stream, RowsAsInputs())([{"row": row} for row in next(plan.batches(0))])
    columns = columns_of(inputs)
    assert list(columns) == ["query", "item", "hard", "neighbour"]
    label, hard = inputs["label"], columns["hard"].tolist()
    assert label["hard"]["known"].shape == (16, len(hard))
    clickers = columns["neighbour"][len(label["neighbour"]["position"]) :].tolist()
    drew = [hard[position] for position in label["hard"]["position"]]
    assert all(pair in twin.clicks for pair in zip(clickers, drew, strict=True))


def test_without_terms_there_is_no_anchor_column(small: Graph, twin):
    """Clicks alone give queries and items only."""
    reader = BatchReader(small, take_snapshot(small, []), twin.excluded)
    plan = UniformPlan(np.array(twin.clicked), 16, seed=0)
    with NeighbourStream(reader, plan, seed=0) as stream:
        inputs = BatchCollator(stream, RowsAsInputs())([{"row": row} for row in next(plan.batches(0))])
    columns = columns_of(inputs)
    assert list(columns) == ["query", "item"]
    assert inputs["label"]["terms"] == []
