"""Trainings that are followed in trackers, and such that stop early."""

from __future__ import annotations

from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from recsys.core.settings import TrainSettings
from recsys.graph.client import Graph
from recsys.model import trackers
from recsys.model.train import train


def make_settings(encoder: Path, **changes: object) -> TrainSettings:
    """Return settings of a short training on the small graph."""
    values = {"encoder": str(encoder), "batch_size": 12, "validation_share": 0.2, "seed": 7, "select": False}
    return TrainSettings.model_validate(values | changes)


def test_tensorboard_is_told_losses_and_figures(small: Graph, tiny_static: Path, tmp_path: Path):
    """After the training its files hold every loss term and held-out figure that the metrics hold."""
    run = train(small, make_settings(tiny_static, epochs=2, report_to=["tensorboard"]), tmp_path / "runs")
    (folder,) = (tmp_path / "tensorboard").iterdir()
    assert run.name.endswith(folder.name)
    told = EventAccumulator(str(folder)).Reload()
    assert {"train/click", "train/composed", "train/shared_item", "eval/P@1", "eval/score"} <= set(
        told.Tags()["scalars"]
    )
    measured = [entry["eval_score"] for entry in run.metrics["history"] if "eval_score" in entry]
    assert [event.value for event in told.Scalars("eval/score")] == pytest.approx(measured)


def test_a_tracker_without_its_package_is_refused_first(
    small: Graph, tiny_static: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The error names the package, and nothing was written."""
    monkeypatch.setattr(trackers, "find_spec", lambda name: None)
    with pytest.raises(trackers.TrackerMissingError, match="pip install wandb"):
        train(small, make_settings(tiny_static, report_to=["wandb"]), tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_training_stops_where_it_no_longer_gets_better(small: Graph, tiny_static: Path, tmp_path: Path):
    """With next to no learning nothing gets better than the first measurement, and the second is the last."""
    settings = make_settings(tiny_static, epochs=8, early_stopping=1, learning_rate=1e-12, hard_negatives_every=0)
    run = train(small, settings, tmp_path / "runs")
    measured = [entry["epoch"] for entry in run.metrics["history"] if "eval_score" in entry]
    assert measured == [1, 2]
