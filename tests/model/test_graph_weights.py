"""Weights of the graph terms."""

from __future__ import annotations

import json

import pytest

from recsys.model.graph_weights import WINDOW, AnnealedWeights, BanditWeights, GraphWeights, make_weights

NAMES = ["CATEGORY query", "CATEGORY item"]


def run(weights: GraphWeights, steps: range, reward: float = 0.5) -> list[dict[str, float]]:
    """Go through steps of a training of 100, and return what belongs into the history."""
    logged = []
    for step in steps:
        if weights.at(step, 100):
            logged.append(dict(weights.weight_of))
        weights.observe(int(100 * reward), 100)
    return logged


def test_a_fixed_weight_is_that_of_every_term():
    """It holds for terms that were never named, and has nothing to log."""
    weights = make_weights("fixed", 0.3, NAMES, 0)
    assert run(weights, range(100)) == []
    assert weights.of("CATEGORY", "query") == weights.of("OTHER", "item") == 0.3


def test_an_annealed_weight_falls_to_nothing():
    """0.4 · (1 − step/100): 0.4 at the start, 0.1 after 75 steps, 0.004 at the last; logged once per window."""
    weights = make_weights("annealed", 0.4, NAMES, 0)
    assert isinstance(weights, AnnealedWeights)
    logged = [entry["CATEGORY item"] for entry in run(weights, range(100))]
    assert logged == pytest.approx([0.4, 0.32, 0.24, 0.16, 0.08])
    weights.at(75, 100)
    assert weights.of("CATEGORY", "query") == pytest.approx(0.1)
    weights.at(99, 100)
    assert weights.of("CATEGORY", "query") == pytest.approx(0.004)


def test_a_lesson_worked_by_hand():
    """Reward 0.62 against 0.5 before: the weight above its mean pulls it up, the one below pushes it down."""
    weights = BanditWeights(0.1, NAMES, seed=0)
    weights.baseline = 0.5
    weights.weight_of = {"CATEGORY query": 0.15, "CATEGORY item": 0.0}
    # (0.12 · 0.05 / 0.01) = 0.6, so μ = 0.1 + 0.006; (0.12 · −0.1 / 0.01) = −1.2, clipped at −1, so μ = 0.1 − 0.01
    # moving average 0.8 · 0.5 + 0.2 · 0.62 = 0.524
    weights.learn(0.62)
    assert weights.mean_of == pytest.approx({"CATEGORY query": 0.106, "CATEGORY item": 0.09})
    assert weights.baseline == pytest.approx(0.524)


def test_the_first_window_teaches_nothing():
    """There is nothing to compare it with."""
    weights = BanditWeights(0.1, NAMES, seed=0)
    weights.learn(0.7)
    assert weights.mean_of == dict.fromkeys(NAMES, 0.1)
    assert weights.baseline == pytest.approx(0.7)


def test_weights_are_held_for_a_window_and_never_negative():
    """They change with each window only, some are 0, and a mean stops at 0."""
    weights = make_weights("bandit", 0.1, NAMES, 3)
    logged = run(weights, range(2000))
    assert len(logged) == 2000 // WINDOW
    assert all(weight >= 0 for entry in logged for weight in entry.values())
    assert any(entry["CATEGORY query"] == 0 for entry in logged)
    assert isinstance(weights, BanditWeights)
    weights.mean_of["CATEGORY query"], weights.weight_of["CATEGORY query"] = 0.005, 0.2
    weights.learn(0.0)
    assert weights.mean_of["CATEGORY query"] == 0


@pytest.mark.parametrize("stop", [40, 47])
def test_a_bandit_goes_on_where_it_was(stop: int):
    """From the state of a checkpoint, as JSON, the weights are those of an uninterrupted training."""
    whole, before, after = (BanditWeights(0.1, NAMES, seed=5) for _ in range(3))
    expected = [*run(whole, range(stop), 0.3), *run(whole, range(stop, 100), 0.6)]
    found = run(before, range(stop), 0.3)
    after.restore(json.loads(json.dumps(before.state())))
    assert found + run(after, range(stop, 100), 0.6) == expected
    assert after.of("CATEGORY", "item") == whole.of("CATEGORY", "item")


def test_draws_depend_on_the_seed_alone():
    """The same seed draws the same weights, another seed others."""
    drawn = [run(BanditWeights(0.1, NAMES, seed=seed), range(100)) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
