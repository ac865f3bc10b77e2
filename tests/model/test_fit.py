"""One training over the live graph."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys.core.settings import TrainSettings
from recsys.graph.client import Graph
from recsys.model import arguments, clustered_plan, graph_weights, nearest
from recsys.model.data import read_data
from recsys.model.encoder import load_encoder
from recsys.model.features import make_features
from recsys.model.fit import fit
from recsys.model.plan import UniformPlan
from recsys.model.snapshot import take_snapshot
from recsys.model.stream import NeighbourStream

TEN_LOSSES = [2.0509, 1.7618, 1.6654, 1.5524, 1.4083, 1.3552, 1.3369, 1.2177, 1.2346, 1.2679]


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
    history = fit(model, make_features(model, data.texts), data, graph, settings, None, directory)
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


CHANGES: list[dict[str, object]] = [
    {},
    {"hard_negatives_every": 1, "graph_weights": "bandit"},
    {"plan": "ngame", "prune_after": 1, "prune_every": 1},
]


@pytest.mark.parametrize("changes", CHANGES)
def test_a_checkpoint_inside_an_epoch_is_gone_on_from(
    small: Graph,
    settings: TrainSettings,
    tmp_path: Path,
    asked: list[list[int]],
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, object],
):
    """Interrupted in the middle, the same training asks only for what is missing and ends with the same weights.

    Hard negatives, clusters and pruned edges come from before the checkpoint, and a bandit goes on in the middle of a
    window.
    """
    monkeypatch.setattr(arguments, "CHECKPOINT_STEPS", 3)
    monkeypatch.setattr(graph_weights, "WINDOW", 4)
    monkeypatch.setattr(clustered_plan, "WARM_UP", 1)
    settings = settings.model_copy(update=changes)
    (tmp_path / "whole").mkdir()
    (tmp_path / "parts").mkdir()
    whole, _, history = train_once(small, settings, tmp_path / "whole")
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
    resumed, _, again = train_once(small, settings, tmp_path / "parts")
    assert asked == rows[6:]
    texts = ["red shoe", "oak table", "tin"]
    np.testing.assert_array_equal(resumed.encode(texts), whole.encode(texts))
    assert weights(again) == weights(history)


def weights(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the entries of the graph weights."""
    return [entry for entry in history if "weight CATEGORY query" in entry]


def test_a_bandit_writes_its_weights_into_the_history(small: Graph, twin, settings: TrainSettings, tmp_path: Path):
    """Once per window there is a weight for each relation and side."""
    _, plan, history = train_once(small, settings.model_copy(update={"graph_weights": "bandit"}), tmp_path)
    steps = range(0, len(plan) * settings.epochs, graph_weights.WINDOW)
    assert [entry["step"] for entry in weights(history)] == list(steps)
    names = {f"weight {relation} {label.lower()}" for relation, label in twin.links}
    assert all(names < entry.keys() for entry in weights(history))


def test_hard_negatives_are_drawn_and_can_be_left_out(small: Graph, settings: TrainSettings, tmp_path: Path):
    """Each search leaves a file, the loss is higher with them, and 0 makes none."""
    losses = {}
    for every in (0, 2):
        directory = tmp_path / str(every)
        directory.mkdir()
        chosen = settings.model_copy(update={"hard_negatives_every": every})
        _, _, history = train_once(small, chosen, directory)
        losses[every] = [entry["click"] for entry in history if "click" in entry]
        found = sorted(path.name for path in directory.glob("hard*"))
        assert found == ([] if not every else ["hard-negatives-0.npy", "hard-negatives-2.npy"])
    assert losses[2][0] > losses[0][0]


def test_clusters_and_pruned_edges_are_found_when_it_is_their_turn(
    small: Graph, settings: TrainSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """After their warm-up each leaves its files; the training goes on to a finite loss."""
    monkeypatch.setattr(clustered_plan, "WARM_UP", 2)
    changes = {"plan": "ngame", "prune_after": 1, "prune_every": 2, "hard_negatives_every": 3, "epochs": 4}
    chosen = settings.model_copy(update=changes)
    _, _, history = train_once(small, chosen, tmp_path)
    found = {path.name for path in tmp_path.glob("*.npy")} - {"hard-negatives-0.npy", "hard-negatives-3.npy"}
    relations = range(len(take_snapshot(small).relations))
    assert found == {"clusters-2.npy", *(f"pruned-{turn}-{number}.npy" for turn in (1, 3) for number in relations)}
    assert np.isfinite([entry["loss"] for entry in history if "click" in entry]).all()


def test_the_same_seed_gives_the_same_ten_losses(
    small: Graph, settings: TrainSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Ten epochs of the small graph with everything on have the losses that they had when this was written."""
    for user in (arguments, nearest):
        monkeypatch.setattr(user, "has_bfloat16", lambda _: False)  # as on every machine
    chosen = settings.model_copy(update={"hard_negatives_every": 3, "epochs": 10})
    _, _, history = train_once(small, chosen, tmp_path)
    assert [entry["loss"] for entry in history if "click" in entry] == pytest.approx(TEN_LOSSES, abs=2e-3)
