"""Held-out queries from a log."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recsys.core.settings import TrainSettings
from recsys.graph.client import Graph
from recsys.model.composition import unit
from recsys.model.held_out import Encoded
from recsys.model.recipe import PLAIN_RECIPE
from recsys.model.texts import Texts
from recsys.model.train import train
from recsys.model.trials import Trials
from recsys.model.validation import NothingToMeasureError, digest, held_out_of_log

LOG = [("new", "red shoe", "i7"), ("new", "red shoe", "gone"), ("other", "oak", "i9"), ("page 1", "wool", "page 1")]


@pytest.fixture
def texts(small: Graph, tmp_path: Path) -> dict[str, Texts]:
    """Texts of the small graph."""
    return {label: Texts.fetch(small, label, n, tmp_path / label) for label, n in (("Query", 60), ("Item", 30))}


def test_every_query_of_the_graph_trains(texts, twin):
    """The log alone is measured, on the items that the graph knows; composition and votes know all clicks."""
    held_out = held_out_of_log(texts, twin.as_clicks(), LOG[:3])
    assert len(held_out) == 2
    assert held_out.asked_texts == ["red shoe", "oak"]
    assert held_out.gold.indices.tolist() == [7, 9]
    np.testing.assert_array_equal(held_out.degree, twin.as_clicks().per_item()[1])


def test_what_was_clicked_before_may_be_clicked_again(texts, twin):
    """A pair of the graph is gold beside a new one; a log of which the graph has every pair is refused."""
    query, item = next(pair for pair in sorted(twin.clicks) if pair[0] >= 5)
    other = next(i for i in range(5, 30) if (query, i) not in twin.clicks)
    log = [(twin.query_ids[query], "red", twin.item_ids[row]) for row in (item, other)]
    held_out = held_out_of_log(texts, twin.as_clicks(), log)
    assert held_out.gold.indices.tolist() == sorted([item, other])
    with pytest.raises(NothingToMeasureError, match="--validation"):
        held_out_of_log(texts, twin.as_clicks(), log[:1])


def test_asked_vectors_are_those_of_the_log(texts, twin):
    """Figures are of the log's own texts, worked by hand: one of two finds its item first."""
    held_out = held_out_of_log(texts, twin.as_clicks(), LOG[:3])
    items = np.eye(30, dtype=np.float32)
    asked = np.stack([items[7], items[3]])
    encoded = Encoded(items, unit(np.ones((60, 30), np.float32)), asked)
    assert Trials(held_out, encoded).measure([PLAIN_RECIPE])[PLAIN_RECIPE].p1 == 50


def test_filtered_pairs_are_neither_gold_nor_ranked(texts, twin):
    """A clicked pair of the filter is no gold, and its item is passed over for that query."""
    held_out = held_out_of_log(texts, twin.as_clicks(), [*LOG[:3], ("new", "red shoe", "i8")], [("new", "i7")])
    assert held_out.gold.indices.tolist() == [8, 9]
    assert [side.tolist() for side in held_out.excluded] == [[0], [7]]


def test_figures_count_no_more_than_the_limit(texts, twin):
    """The queries that count depend on their ids alone, whatever the order of the log; the others show slices."""
    popular, rare = (twin.item_ids[row] for row in np.argsort(twin.as_clicks().per_item()[1])[[-1, 0]])
    log = [(f"n{row}", "red", rare if row % 50 == 0 else popular) for row in range(1200)]
    some, again = (
        held_out_of_log(texts, twin.as_clicks(), rows, [("n3", popular)], limit=700) for rows in (log, log[::-1])
    )
    assert len(some) == 700
    assert len(some.gold.sizes) > 700
    assert np.count_nonzero(some.gold.indices == twin.item_ids.index(rare)) == 24
    np.testing.assert_array_equal(some.gold.indices, again.gold.indices)
    np.testing.assert_array_equal(some.counted, again.counted)
    assert digest(log) == digest(log[::-1]) != digest(log[1:])


def test_training_chooses_by_the_log(small: Graph, settings: TrainSettings, twin, tmp_path: Path):
    """Nothing is held out of the graph, and the run says what it was chosen by."""
    log = [(f"new {row}", twin.item_texts[row], f"i{row}") for row in range(10, 20)]
    run = train(small, settings.model_copy(update={"epochs": 1}), tmp_path / "runs", validation=log)
    assert (run.metrics["held_out_queries"], run.metrics["held_out_by"]) == (10, "log")
    assert len(run.queries().ids) == 60
    assert isinstance(run.metrics["chosen"]["P@1"], float)
