"""Everything of the graph that a training holds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from recsys.graph.client import Graph
from recsys.model.data import read_data, read_excluded, write_excluded
from recsys.model.scratch import MEMORY
from recsys.model.snapshot import take_snapshot
from recsys.model.split import held_out


def test_data_equal_the_graph(small: Graph, twin, tmp_path: Path):
    """Texts, clicks and pages are those of the graph."""
    data = read_data(small, take_snapshot(small), tmp_path, 0.2)
    assert data.texts["Query"].all_texts() == twin.query_texts
    assert data.texts["Item"].all_texts() == twin.item_texts
    assert data.texts["Anchor"].all_texts() == twin.anchor_texts
    np.testing.assert_equal(vars(replace(data.clicks, scratch=MEMORY)), vars(twin.as_clicks()))
    np.testing.assert_equal(vars(data.excluded), vars(twin.excluded))


def test_held_out_queries_are_no_training_rows(small: Graph, twin, tmp_path: Path):
    """Training rows are the queries with clicks that are not held out."""
    data = read_data(small, take_snapshot(small), tmp_path, 0.2)
    marks = held_out(twin.query_ids, 0.2)
    assert 0 < marks.sum() < 30
    np.testing.assert_equal(data.held_out, marks)
    assert data.training_rows.tolist() == [row for row in twin.clicked if not marks[row]]


def test_a_filter_joins_the_own_pages(small: Graph, twin, tmp_path: Path):
    """Pairs of a filter are excluded beside each query's own page, and come back from where a run keeps them."""
    pair = (twin.query_ids[40], twin.item_ids[20])
    data = read_data(small, take_snapshot(small), tmp_path, 0.2, [pair, ("nowhere", "i1")])
    expected = {(row, item) for row, item in enumerate(twin.self_items) if item >= 0} | {(40, 20)}
    assert set(zip(data.excluded.query, data.excluded.item, strict=True)) == expected
    write_excluded(tmp_path, data)
    assert set(read_excluded(tmp_path)) == {(twin.query_ids[query], twin.item_ids[item]) for query, item in expected}
    assert read_excluded(tmp_path / "older run") == []


def test_a_share_that_takes_all_takes_none(small: Graph, twin, tmp_path: Path):
    """Where every query with clicks would be held out, training goes on without holding out any."""
    data = read_data(small, take_snapshot(small), tmp_path, 1.0)
    assert not data.held_out.any()
    assert data.training_rows.tolist() == twin.clicked
