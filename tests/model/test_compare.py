"""Systems side by side on a small graph."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys.core.settings import TrainSettings
from recsys.graph.client import Graph
from recsys.model.arena import Arena
from recsys.model.compare import FIGURES, Comparison, check_extras, compare
from recsys.model.systems import SYSTEMS, ExtraMissingError, System

LEARNS = {system.name: system for system in SYSTEMS}
TRAINED = ("no_graph", "ramen", "recsys", "graph_sage", "light_gcn")


@pytest.fixture(scope="module")
def make_arena(
    filled: Graph, tiny_static: Path, twin: Any, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Arena]:
    """Makes what systems compete on: the test log asks again what some known queries clicked."""
    settings = TrainSettings.model_validate(
        {"encoder": str(tiny_static), "epochs": 1, "batch_size": 12, "validation_share": 0.2, "seed": 3}
    )
    log = [
        (twin.query_ids[query], twin.query_texts[query], twin.item_ids[item])
        for query, item in sorted(twin.clicks)[:20]
        if twin.query_texts[query]
    ]
    return lambda **changes: Arena(filled, settings, tmp_path_factory.mktemp("arena"), log, **changes)


def noting(learnt: list[tuple[Arena, int]]) -> System:
    """Return popularity that notes whom it learns for, and with which seed."""

    def learn(arena: Arena, seed: int, directory: Path) -> Any:
        learnt.append((arena, seed))
        return LEARNS["popularity"].learn(arena, seed, directory)

    return replace(LEARNS["popularity"], learn=learn)


@pytest.fixture(scope="module")
def compared(make_arena: Callable[[], Arena], tmp_path_factory: pytest.TempPathFactory) -> tuple[Comparison, Path]:
    """All systems, the seeded ones twice."""
    workspace = tmp_path_factory.mktemp("workspace")
    return compare(make_arena(), SYSTEMS, (0, 1), workspace), workspace


def test_every_system_has_a_row_of_the_same_queries(compared: tuple[Comparison, Path]):
    """Figures are of all test queries, in percent, and the seeded systems have a figure for each seed."""
    comparison, _ = compared
    names = [row.name for row in comparison.rows if not row.name.endswith("+ votes")]
    assert names == [system.name for system in SYSTEMS]
    for row in comparison.rows:
        assert set(row.figures) == set(FIGURES)
        assert all(len(values) == comparison.queries for values in row.values.values())
        assert 0 <= row.figures["P@1"] <= 100
        assert len(row.by_seed["P@1"]) == 1 + row.name.removesuffix(" + votes").startswith(TRAINED)
        assert np.mean(row.by_seed["R@10"]) == pytest.approx(row.figures["R@10"])
        assert row.query_ms > 0
    assert comparison.row("recsys").seconds > comparison.row("popularity").seconds
    assert not comparison.left_out


def test_what_is_finished_is_not_done_again(
    compared: tuple[Comparison, Path], make_arena: Callable[[], Arena], monkeypatch: pytest.MonkeyPatch
):
    """The same comparison again learns nothing and says the same."""
    first, workspace = compared

    def refuse(arena: Arena, seed: int, directory: Path) -> Any:
        raise AssertionError("learns again")

    again = compare(make_arena(), [replace(system, learn=refuse) for system in SYSTEMS], (0, 1), workspace)
    assert [(row.name, row.figures, row.seconds) for row in again.rows] == [
        (row.name, row.figures, row.seconds) for row in first.rows
    ]


@pytest.mark.parametrize("changes", [{"filtered": [("q", "i")]}, {"validation": [("q", "red", "i")]}])
def test_with_another_filter_or_validation_log_it_is_another_comparison(
    make_arena: Callable[..., Arena], tmp_path: Path, changes: dict[str, Any]
):
    """What was finished without them is not taken for what would be learnt with them."""
    learnt: list[tuple[Arena, int]] = []
    for arena in (make_arena(), make_arena(**changes), make_arena(**changes)):
        compare(arena, [noting(learnt)], (0,), tmp_path)
    found = [{"filtered": arena.filtered, "validation": arena.validation} for arena, _ in learnt]
    assert found == [{"filtered": (), "validation": None}, {"filtered": (), "validation": None, **changes}]


def test_another_version_learns_again(
    make_arena: Callable[..., Arena], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """What an older recsys has finished is not shown as what this one would."""
    learnt: list[tuple[Arena, int]] = []
    for release in ("1.0.0", "1.0.0", "1.0.1"):
        monkeypatch.setattr("recsys.model.compare.version", {"recsys": release}.__getitem__)
        compare(make_arena(), [noting(learnt)], (7,), tmp_path)
    assert [seed for _, seed in learnt] == [7, 7]


def test_our_trainings_choose_by_the_validation_log(make_arena: Callable[..., Arena], tmp_path: Path, twin: Any):
    """The run that a system trains says that a log was held out, and not a share of the queries."""
    log = [("new", "a text that nobody asked", twin.item_ids[0])]
    compare(make_arena(validation=log), [LEARNS["no_graph"]], (0,), tmp_path)
    (metrics,) = tmp_path.glob("compare/*/no_graph-0/runs/*/metrics.json")
    assert json.loads(metrics.read_text())["held_out_by"] == "log"


def test_a_system_that_does_not_apply_says_why(make_arena: Callable[[], Arena], tmp_path: Path):
    """LightGCN cannot rank for texts that it was not trained with."""
    arena = make_arena()
    arena.task = replace(arena.task, texts=[f"new {n}" for n in range(len(arena.task.texts))])
    found = compare(arena, [LEARNS["light_gcn"], LEARNS["popularity"]], (0,), tmp_path)
    assert [row.name for row in found.rows] == ["popularity"]
    assert "vectors for known ones only" in found.left_out["light_gcn"]


def test_missing_packages_are_said_before_anything_is_trained():
    """The message names the extra and the way round it."""
    system = replace(LEARNS["graph_sage"], package="no_such_package")
    with pytest.raises(ExtraMissingError, match=r"pip install 'recsys\[compare\]'.*--only"):
        check_extras([LEARNS["popularity"], system])
