"""One training over the live graph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recsys.core.settings import TrainSettings
from recsys.graph.client import Graph
from recsys.model import fit as module
from recsys.model.data import read_data
from recsys.model.encoder import load_encoder
from recsys.model.fit import fit
from recsys.model.plan import UniformPlan
from recsys.model.snapshot import take_snapshot
from recsys.model.stream import NeighbourStream


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """Rows of every batch that the trainer asked for."""
    rows: list[list[int]] = []
    original = NeighbourStream.batch

    def record(stream: NeighbourStream, some):
        rows.append(list(some))
        return original(stream, some)

    monkeypatch.setattr(NeighbourStream, "batch", record)
    return rows


def train_once(graph: Graph, settings: TrainSettings, directory: Path):
    """Train and return encoder, plan and history."""
    data = read_data(graph, take_snapshot(graph), directory, 0.0)
    model = load_encoder(settings.encoder, 32)
    history = fit(model, data, graph, settings, None, directory)
    return model, UniformPlan(data.training_rows, settings.batch_size, settings.seed), history


def test_the_trainer_asks_for_the_plan(small: Graph, settings: TrainSettings, tmp_path: Path, asked: list[list[int]]):
    """Over all epochs the batches are those of the plan, each epoch in an order of its own."""
    _, plan, _ = train_once(small, settings, tmp_path)
    assert asked == [batch.tolist() for epoch in range(settings.epochs) for batch in plan.batches(epoch)]


def test_the_loss_falls(small: Graph, settings: TrainSettings, tmp_path: Path):
    """Both components are logged, and the click loss is lower at the end than at the start."""
    longer = settings.model_copy(update={"epochs": 6})
    _, _, history = train_once(small, longer, tmp_path)
    logged = [entry for entry in history if "click" in entry]
    assert all(entry["graph"] > 0 for entry in logged)
    assert logged[-1]["click"] < logged[0]["click"]


def test_a_checkpoint_inside_an_epoch_is_gone_on_from(
    small: Graph, settings: TrainSettings, tmp_path: Path, asked: list[list[int]], monkeypatch: pytest.MonkeyPatch
):
    """Interrupted in the middle, the same training asks only for what is missing and ends with the same weights."""
    monkeypatch.setattr(module, "CHECKPOINT_STEPS", 3)
    (tmp_path / "whole").mkdir()
    (tmp_path / "parts").mkdir()
    whole, _, _ = train_once(small, settings, tmp_path / "whole")
    rows = asked.copy()
    asked.clear()
    recorded = NeighbourStream.batch

    def interrupt(stream: NeighbourStream, some):
        if len(asked) == 8:
            raise KeyboardInterrupt
        return recorded(stream, some)

    monkeypatch.setattr(NeighbourStream, "batch", interrupt)
    with pytest.raises(KeyboardInterrupt):
        train_once(small, settings, tmp_path / "parts")
    assert (tmp_path / "parts" / "checkpoint-6").exists()
    asked.clear()
    monkeypatch.setattr(NeighbourStream, "batch", recorded)
    resumed, _, _ = train_once(small, settings, tmp_path / "parts")
    assert asked == rows[6:]
    texts = ["red shoe", "oak table", "tin"]
    np.testing.assert_array_equal(resumed.encode(texts), whole.encode(texts))
