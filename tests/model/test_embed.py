"""Vectors of a run again, from the graph as it is now."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from recsys.core.golden import Golden, read_golden, write_golden
from recsys.core.run import Run, find_run, list_runs
from recsys.core.scoring import Scoring
from recsys.core.settings import TrainSettings
from recsys.graph.client import Graph
from recsys.model.anchors import anchors_of_items
from recsys.model.composition import Composition
from recsys.model.data import read_data
from recsys.model.embed import embed, plan_embedding
from recsys.model.encoder import load_encoder
from recsys.model.features import make_features
from recsys.model.golden import measure_golden
from recsys.model.held_out_evaluator import encode_all
from recsys.model.snapshot import NoClicksError, take_snapshot
from recsys.model.write_run import Outcome, write_run

CATEGORY = "CATEGORY"
FIGURES = {"held_out_queries": 0, "history": [{"loss": 1.0}], "seconds": 1.0}


@pytest.fixture
def run(small: Graph, settings: TrainSettings, tmp_path: Path) -> Run:
    """A run of the small graph with composition, bonus and votes."""
    data = read_data(small, take_snapshot(small), tmp_path, 0.2)
    model = load_encoder(settings.encoder, 32)
    encoded = encode_all(model, data.texts, 16)
    outcome = Outcome(model, data, encoded, Composition(2.0, 1.0), Scoring(0.05, 0.5, 0.1), settings)
    return write_run(outcome, FIGURES, tmp_path / "runs", "20200101-000000-first")


def test_without_news_the_vectors_are_the_same(run: Run, small: Graph):
    """The same graph gives the same vectors, with the same encoder to the byte, under a later name."""
    again = embed(small, run, run.path.parent)
    for now, then in ((again.items(), run.items()), (again.queries(), run.queries())):
        np.testing.assert_allclose(now.vectors, then.vectors, atol=1e-6)
        assert (now.ids, now.payloads) == (then.ids, then.payloads)
    assert again.manifest["encoder_hash"] == run.manifest["encoder_hash"]
    assert again.scoring == run.scoring
    assert find_run(run.path.parent) == again
    assert [path.name for path in run.path.parent.iterdir() if path.name.startswith(".")] == []


def test_anchors_are_read_again(run: Run, small: Graph, settings: TrainSettings, tmp_path: Path):
    """A run composed with anchors is embedded with those of the present graph, by the relations it was trained with."""
    settings = settings.model_copy(update={"relations": (CATEGORY,)})
    data = read_data(small, take_snapshot(small, settings.relations), tmp_path, 0.2)
    model = load_encoder(settings.encoder, 32)
    anchors = anchors_of_items(model, make_features(model, data.texts), data, small, 16)
    encoded = replace(encode_all(model, data.texts, 16), anchors=anchors)
    linked = Outcome(model, data, encoded, Composition(2.0, 1.0, anchors=0.5), Scoring(), settings)
    first = write_run(linked, FIGURES, tmp_path / "runs", "20200101-000000-linked")
    np.testing.assert_allclose(embed(small, first, tmp_path / "runs").items().vectors, first.items().vectors, atol=1e-6)
    small.write("MATCH (:Item)-[r:$($name)]->(:Anchor) DELETE r", name=CATEGORY)
    without = embed(small, first, tmp_path / "runs").items().vectors
    np.testing.assert_allclose(without, embed(small, run, tmp_path / "runs").items().vectors[:, :-2], atol=1e-6)


def test_golden_queries_are_taken_over(run: Run, small: Graph, grow):
    """The run is judged by the queries of the training, whatever came since, on its own item vectors."""
    golden = Golden(["red", "oak"], [["i7"], ["i9"]], [[], ["i7"]], run.queries().vectors[[8, 9]])
    write_golden(run.path, golden)
    grow(small)
    again = embed(small, run, run.path.parent)
    found = read_golden(again.path)
    assert found is not None
    assert (found.texts, found.items, found.excluded) == (golden.texts, golden.items, golden.excluded)
    items = again.items()
    assert again.manifest["golden"] == measure_golden(found, pa.chunked_array([items.ids]), items.vectors)


def test_what_is_new_is_in(run: Run, small: Graph, grow):
    """An item, a query and their clicks that came after the run have vectors, and old items know their new clicks."""
    before = run.items()
    grow(small)
    plan = plan_embedding(small, run)
    assert (plan.run, plan.new_items, plan.new_queries) == (run.name, 1, 1)
    assert plan.new_pairs > 0
    assert list_runs(run.path.parent) == [run]
    items = embed(small, run, run.path.parent).items()
    assert items.ids == [*before.ids, "late"]
    assert items.degree[-1] > 0
    assert not np.allclose(items.vectors[:-1], before.vectors)


def test_the_lineage_goes_back_to_the_training(run: Run, small: Graph):
    """However often vectors are made again, the run before and the training are named, and the figures stay."""
    once = embed(small, run, run.path.parent)
    renamed = Run(once.path.rename(run.path.parent / "20200101-000001-second"))
    twice = embed(small, renamed, run.path.parent)
    origin = twice.manifest["derived_from"]
    assert origin["run"] == renamed.name
    assert origin["training"] == {"run": run.name, "snapshot": run.manifest["snapshot"]}
    assert twice.metrics["held_out_queries"] == 0
    assert "history" not in twice.metrics
    card = (twice.path / "README.md").read_text()
    assert f"those of the training {run.name}" in card
    assert "CATEGORY" in card


def test_an_empty_graph_leaves_the_runs_as_they_are(run: Run, small: Graph):
    """Without clicks nothing is written."""
    small.write("MATCH ()-[c:CLICKED]->() DELETE c")
    with pytest.raises(NoClicksError):
        embed(small, run, run.path.parent)
    assert list(run.path.parent.iterdir()) == [run.path]


def test_runs_from_before_scoring_are_taken(run: Run, small: Graph):
    """A run whose manifest says nothing of bonus and votes is searched by cosine."""
    from recsys.core.files import write_json

    manifest = {name: value for name, value in run.manifest.items() if name != "scoring"}
    write_json(run.path / "manifest.json", {**manifest, "width": 16})
    again = embed(small, run, run.path.parent)
    assert again.scoring == Scoring()
    assert again.items().vectors.shape[1] == again.manifest["width"] == 16
