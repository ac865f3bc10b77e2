"""Hard negatives by nearest neighbours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from recsys.model import hard_negatives as module
from recsys.model import nearest_clicked
from recsys.model.composition import PLAIN, Composition
from recsys.model.hard_negatives import HardNegatives

CPU = torch.device("cpu")


@pytest.fixture
def make(twin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a maker of hard negatives over the clicks of the twin, with a table of vectors for encoder."""

    def encode_rows(model: dict[str, np.ndarray], features: Any, label: str, rows: np.ndarray, *_: Any):
        return model[label][rows]

    monkeypatch.setattr(module, "encode_rows", encode_rows)

    class Table(dict[str, np.ndarray]):
        device = CPU

    def build(seed: int, composition: Composition = PLAIN, every: int = 3) -> HardNegatives:
        rng = np.random.default_rng(seed)
        table = Table(
            Query=rng.normal(size=(60, 4)).astype(np.float32), Item=rng.normal(size=(30, 4)).astype(np.float32)
        )
        how = {"every": every, "directory": tmp_path, "batch_size": 8, "seed": 0}
        return HardNegatives(table, {}, twin.as_clicks(), twin.excluded, composition, **how)  # type: ignore[arg-type]

    return build


def test_drawn_items_are_near_and_not_clicked(make, twin, monkeypatch: pytest.MonkeyPatch):
    """Over many draws every query gets each of its near items, never one it clicked, nor the page itself."""
    monkeypatch.setattr(nearest_clicked, "NEAREST", 4)
    negatives = make(1)
    negatives.start(0)
    rows = np.array(twin.clicked)
    rng = np.random.default_rng(0)
    drawn = np.array([negatives.draw(rows, rng) for _ in range(200)])
    clicked = {item for _, item in twin.clicks}
    for row, some, near in zip(rows, drawn.T, negatives._near_TK, strict=True):
        assert set(some) == set(near.tolist()) <= clicked
        assert not any((row, item) in twin.clicks or twin.self_items[row] == item for item in some)


def test_items_are_drawn_as_often_as_they_are_clicked(make, twin, monkeypatch: pytest.MonkeyPatch):
    """Among the near items of a query the frequencies are those of their clicking queries (chi-square)."""
    monkeypatch.setattr(nearest_clicked, "NEAREST", 4)
    negatives = make(1)
    negatives.start(0)
    near = negatives._near_TK[0]
    degree = np.array([sum(item == i for _, i in twin.clicks) for item in near])
    drawn = negatives.draw(np.full(20_000, twin.clicked[0]), np.random.default_rng(0))
    found = np.array([(drawn == item).sum() for item in near[degree > 0]])
    assert found.sum() == 20_000
    assert chisquare(found, 20_000 * degree[degree > 0] / degree.sum()).pvalue > 0.01


def test_composed_items_are_compared(make, twin, monkeypatch: pytest.MonkeyPatch):
    """With composition the near items are those of norm(E(z) + α n/(n+c) mean), computed here by hand."""
    monkeypatch.setattr(nearest_clicked, "NEAREST", 1)
    negatives = make(2, Composition(2.0, 1.0))
    negatives.start(0)
    table = negatives._model
    items = []
    for item, vector in enumerate(table["Item"]):
        clickers = [q for q, i in twin.clicks if i == item]
        mean = table["Query"][clickers].mean(axis=0) if clickers else np.zeros(4)
        items.append(vector + 2 * len(clickers) / (len(clickers) + 1) * mean)
    scores = table["Query"] @ (np.array(items) / np.linalg.norm(items, axis=1, keepdims=True)).T
    rows = np.array(twin.clicked)
    for row, found in zip(rows, negatives._near_TK[:, 0], strict=True):
        clicked = sorted({i for _, i in twin.clicks})
        unknown = [i for i in clicked if (row, i) not in twin.clicks and twin.self_items[row] != i]
        assert found in unknown
        assert scores[row, found] >= scores[row, unknown].max() - 0.01  # what bfloat16 may mistake


def test_what_was_found_is_kept_until_its_turn_comes(make, twin):
    """Started again with other weights, epochs 4 and 5 draw what epoch 3 found; epoch 6 looks anew."""
    rows = np.array(twin.clicked)

    def drawn(negatives: HardNegatives, epoch: int) -> list[int]:
        negatives.start(epoch)
        return negatives.draw(rows, np.random.default_rng(0)).tolist()

    first, later = make(1), make(2)
    found = drawn(first, 3)
    assert drawn(later, 4) == drawn(later, 5) == found
    assert drawn(later, 6) != found


def test_a_query_that_clicked_everything_takes_no_part(make, twin, monkeypatch: pytest.MonkeyPatch):
    """It has no near item left, and the others still draw."""
    everything = twin.as_clicks()
    query, item = np.append(everything.query, np.full(30, 59)), np.append(everything.item, np.arange(30))
    monkeypatch.setattr(
        twin.__class__, "as_clicks", lambda _: type(everything)(query, item, np.ones_like(query), 60, 30)
    )
    negatives = make(1)
    negatives.start(0)
    assert len(negatives.draw(np.array([59]), np.random.default_rng(0))) == 0
    assert len(negatives.draw(np.array([3, 59, 4]), np.random.default_rng(0))) == 2
