"""Trials before the training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from recsys.core.settings import TrainSettings
from recsys.graph.client import Graph
from recsys.model import selection
from recsys.model.data import TrainingData, read_data
from recsys.model.encoder import load_encoder
from recsys.model.features import make_features
from recsys.model.fit import fit
from recsys.model.held_out import HeldOut
from recsys.model.held_out_evaluator import HeldOutEncoder, HeldOutEvaluator
from recsys.model.recipe import PLAIN_RECIPE
from recsys.model.selection import select, settle
from recsys.model.snapshot import take_snapshot
from recsys.model.train import train


def make_settings(encoder: Path, **changes: Any) -> TrainSettings:
    """Return the settings of a short training."""
    values = {"encoder": str(encoder), "epochs": 20, "batch_size": 12, "validation_share": 0.2, "seed": 7}
    values |= {"loss": "triplet"}
    return TrainSettings.model_validate(values | changes)


class Scores:
    """Stands for what trials score, in their order, and says which were run."""

    def __init__(self, *scores: float) -> None:
        self.scores = list(scores)
        self.tried: list[TrainSettings] = []

    def fit(self, model: Any, features: Any, data: Any, graph: Any, settings: TrainSettings, *rest: Any) -> None:
        """Train nothing."""
        self.tried.append(settings)

    def __call__(self, model: Any) -> dict[str, float]:
        """Return the next score."""
        score = self.scores.pop(0)
        return dict.fromkeys(selection.FIGURES, score)


@pytest.fixture(autouse=True)
def tenths(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trials of a tenth of the epochs, however few their steps."""
    monkeypatch.setattr(selection, "LEAST_STEPS", 1)


@pytest.fixture
def data(small: Graph, tmp_path: Path) -> TrainingData:
    """What a training reads."""
    (tmp_path / "data").mkdir()
    return read_data(small, take_snapshot(small), tmp_path / "data", 0.2)


@pytest.mark.parametrize(
    ("scores", "chosen"),
    [
        ((50.0, 50.2, 50.4), "two hops and relations"),
        ((50.0, 50.05, 50.08), "clicks alone"),
        ((50.0, 51.0, 51.05), "two hops"),
        ((50.0, 40.0, 50.3), "two hops and relations"),
        ((50.0, 40.0, 30.0), "clicks alone"),
    ],
)
def test_a_dearer_way_has_to_be_worth_it(
    small: Graph,
    data: TrainingData,
    tiny_static: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    scores: tuple[float, ...],
    chosen: str,
):
    """Each way is compared with the best cheaper one, and has to be ahead by 0.1."""
    trials: Any = Scores(*scores)
    monkeypatch.setattr(selection, "fit", trials.fit)
    settings = make_settings(tiny_static)
    found = select(small, {}, data, settings, trials, tmp_path)
    assert found.figures["chosen"] == chosen
    assert [(t.two_hop, t.graph_weight) for t in trials.tried] == [(False, 0), (True, 0), (True, 0.02)]
    assert (found.settings.two_hop, found.settings.graph_weight > 0) == ("two" in chosen, "relations" in chosen)
    assert found.settings.epochs == 20
    again = select(small, {}, data, settings, trials, tmp_path)
    assert again == found
    assert len(trials.tried) == 3


@pytest.mark.parametrize(
    ("changes", "scores", "chosen"),
    [
        ({}, (50.0, 51.0, 50.0, 51.2), "two hops by InfoNCE"),
        ({}, (50.0, 51.0, 50.0, 51.05), "two hops"),
        ({"graph": False}, (50.0, 50.3), "clicks alone by InfoNCE"),
        ({"graph": False}, (50.0, 49.0), "clicks alone"),
    ],
)
def test_the_best_way_is_tried_by_infonce_too(
    small: Graph,
    data: TrainingData,
    tiny_static: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
    scores: tuple[float, ...],
    chosen: str,
):
    """The loss is chosen last, with the terms that were chosen, and without a graph as well."""
    trials: Any = Scores(*scores)
    monkeypatch.setattr(selection, "fit", trials.fit)
    found = select(small, {}, data, make_settings(tiny_static, loss="chosen", **changes), trials, tmp_path)
    assert found.figures["chosen"] == chosen
    assert trials.tried[-1].loss == "infonce"
    assert {trial.epochs for trial in trials.tried} == {2}
    assert (found.settings.loss == "infonce") == ("InfoNCE" in chosen)


@pytest.mark.parametrize(("score", "kept"), [(51.0, "training"), (50.9, "trial")])
def test_the_trial_serves_where_the_training_ended_below_it(
    small: Graph,
    data: TrainingData,
    tiny_static: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    score: float,
    kept: str,
):
    """Of the chosen way's trial and the whole training the better encoder is kept, and the figures say which."""
    trials: Any = Scores(50.0, 51.0, 51.05)
    monkeypatch.setattr(selection, "fit", trials.fit)
    settings = make_settings(tiny_static)
    found = select(small, {}, data, settings, trials, tmp_path)
    trained = load_encoder(settings.encoder, settings.max_length)
    model, figures = settle(found, trained, [{"loss": 1.0}, {"eval_score": 40.0}, {"eval_score": score}])
    assert (figures["encoder"], figures["training"], figures["chosen"]) == (kept, score, "two hops")
    assert (model is trained) == (kept == "training")
    assert model.encode("red shoe") == pytest.approx(trained.encode("red shoe"))


@pytest.mark.parametrize(("least", "epochs"), [(1, 2), (11, 3), (13, 4), (1000, 20)])
def test_a_trial_has_enough_steps(
    small: Graph,
    data: TrainingData,
    tiny_static: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    least: int,
    epochs: int,
):
    """A tenth of 20 epochs of four steps, or as many epochs as the least steps take, and no more than the training."""
    monkeypatch.setattr(selection, "LEAST_STEPS", least)
    trials: Any = Scores(1.0, 2.0)
    monkeypatch.setattr(selection, "fit", trials.fit)
    assert -(-len(data.training_rows) // 12) == 4
    found = select(small, {}, data, make_settings(tiny_static, graph_weight=0), trials, tmp_path)
    assert found.figures["epochs"] == epochs
    assert {trial.epochs for trial in trials.tried} == {epochs}


def test_what_the_settings_leave_closed_is_not_tried(
    small: Graph, data: TrainingData, tiny_static: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Without graph, relations, two hops or held-out queries there is less or nothing to choose."""
    trials: Any = Scores(1.0, 2.0)
    monkeypatch.setattr(selection, "fit", trials.fit)
    found = select(small, {}, data, make_settings(tiny_static, graph_weight=0), trials, tmp_path / "a")
    assert list(found.figures["ways"]) == ["clicks alone", "two hops"]
    for changes in ({"graph": False}, {"select": False}, {"graph_weight": 0, "two_hop": False}):
        settings = make_settings(tiny_static, **changes)
        assert select(small, {}, data, settings, trials, tmp_path / "b").settings == settings
    settings = make_settings(tiny_static)
    assert select(small, {}, data, settings, None, tmp_path / "c").figures == {}


def test_a_trial_is_measured_as_trained(small: Graph, data: TrainingData, tiny_static: Path, tmp_path: Path):
    """The figures of a way are those of a training of its own with the same few epochs."""
    settings = make_settings(tiny_static, epochs=10)
    held_out = HeldOut.by_marks(data.texts, data.clicks, data.held_out, data.excluded)
    model = load_encoder(settings.encoder, settings.max_length)
    features = make_features(model, data.texts)
    evaluator = HeldOutEvaluator(held_out, (PLAIN_RECIPE,), HeldOutEncoder(features, held_out, 64))
    found = select(small, features, data, settings, evaluator, tmp_path)
    (tmp_path / "own").mkdir()
    changes = {"epochs": 1, "hard_negatives_every": 0, "graph_weight": 0.0}
    fit(model, features, data, small, settings.model_copy(update=changes), None, tmp_path / "own")
    assert found.figures["ways"]["two hops"]["score"] == pytest.approx(evaluator(model)["score"], abs=1e-3)


def test_the_run_says_what_was_chosen_and_by_what(small: Graph, tiny_static: Path, tmp_path: Path):
    """Metrics and card name the way and every trial's figures."""
    run = train(small, make_settings(tiny_static, epochs=2), tmp_path)
    chosen = run.metrics["selection"]
    assert chosen["chosen"] in chosen["ways"]
    assert len(chosen["ways"]) == 3
    assert f"Its terms, {chosen['chosen']}, were chosen" in (run.path / "README.md").read_text("utf-8")
