"""Training from the graph to a run directory."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from recsys.core.golden import read_golden
from recsys.core.run import Run, list_runs
from recsys.core.settings import TrainSettings
from recsys.graph.client import Graph
from recsys.model.composition import Composition
from recsys.model.encoder import EncoderMissingError
from recsys.model.recipe import IN_TRAINING
from recsys.model.snapshot import UnknownRelationError
from recsys.model.split import held_out
from recsys.model.stream import NeighbourStream
from recsys.model.train import OneProcessError, TooFewQueriesError, plan_training, train

CONTENTS = {
    "encoder",
    "excluded.parquet",
    "items.parquet",
    "queries.parquet",
    "golden.parquet",
    "settings.json",
    "metrics.json",
    "manifest.json",
    "README.md",
}


def make_settings(encoder: Path, **changes: object) -> TrainSettings:
    """Return the settings of a training of a second or two."""
    values = {"epochs": 3, "batch_size": 12, "learning_rate": 0.05, "validation_share": 0.2, "seed": 7, "select": False}
    return TrainSettings.model_validate({"encoder": str(encoder), **values, **changes})


@pytest.fixture(scope="module")
def trained(filled: Graph, tiny_static: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of the small graph."""
    return train(filled, make_settings(tiny_static), tmp_path_factory.mktemp("runs"))


def assert_unit(vectors: np.ndarray, texts: list[str]) -> None:
    """Every vector has norm 1, save that of an empty text."""
    norms = np.linalg.norm(vectors, axis=1)
    np.testing.assert_allclose(norms[[bool(text) for text in texts]], 1, rtol=1e-5)


def test_a_run_directory_is_whole(trained: Run, twin):
    """It holds what the contract says and nothing else, and nothing is left beside it but the lock."""
    assert {path.name for path in trained.path.iterdir()} == CONTENTS
    assert [run.name for run in list_runs(trained.path.parent)] == [trained.name]
    beside = {path.suffix for path in trained.path.parent.iterdir() if path != trained.path}
    assert beside <= {".lock"}
    items, queries = trained.items(), trained.queries()
    assert (items.ids, items.texts) == (twin.item_ids, twin.item_texts)
    assert (queries.ids, queries.texts) == (twin.query_ids, twin.query_texts)
    assert_unit(items.vectors[:, :16], items.texts)
    assert_unit(queries.vectors[:, :16], queries.texts)


def test_held_out_queries_become_golden(trained: Run):
    """They carry the vectors that serving would give their texts, and clicked items of the graph."""
    golden, queries = read_golden(trained.path), trained.queries()
    assert golden is not None
    assert 0 < len(golden) <= trained.metrics["held_out_queries"]
    assert trained.manifest["golden"]["queries"] == len(golden)
    assert {id_ for ids in golden.items for id_ in ids} <= set(trained.items().ids)
    for text, vector in zip(golden.texts, golden.vectors, strict=True):
        np.testing.assert_allclose(vector, queries.vectors[queries.texts.index(text)], atol=1e-6)


def test_the_encoder_makes_the_query_vectors(trained: Run):
    """A plain SentenceTransformer gives the stored vectors: nothing of the graph is needed to serve."""
    queries = trained.queries()
    model = SentenceTransformer(str(trained.encoder_path), device="cpu")
    np.testing.assert_allclose(model.encode(queries.texts), queries.vectors[:, :16], atol=1e-6)


def test_the_manifest_says_where_the_run_comes_from(trained: Run, twin, tiny_static: Path):
    """Snapshot, seed, sizes and versions are those of this training."""
    manifest = trained.manifest
    assert manifest["run"] == trained.name
    assert (manifest["items"], manifest["queries"], manifest["seed"]) == (30, 60, 7)
    assert manifest["width"] == 16 + trained.scoring.extra
    assert manifest["snapshot"]["rows"] == {"Query": 60, "Item": 30, "Anchor": 12}
    assert manifest["snapshot"]["clicked_pairs"] == len(twin.clicks)
    assert {(r["name"], r["source"]) for r in manifest["snapshot"]["relations"]} == set(twin.links)
    assert manifest["encoder"] == str(tiny_static)
    assert manifest["graph"] is True
    assert {"recsys", "torch", "neo4j"} <= set(manifest["versions"])
    stored = json.loads((trained.path / "settings.json").read_text())
    assert TrainSettings.model_validate(stored) == make_settings(tiny_static)


def test_the_metrics_hold_every_figure(trained: Run):
    """Losses by step, figures on held-out queries by epoch, and those of plain and chosen vectors."""
    metrics = trained.metrics
    logged = [entry for entry in metrics["history"] if "click" in entry]
    measured = [entry for entry in metrics["history"] if "eval_score" in entry]
    assert [entry["epoch"] for entry in measured] == [1, 2, 3]
    assert all(entry["graph"] >= 0 for entry in logged)
    assert 0 < metrics["held_out_queries"] < 30
    plain, chosen = (sum(metrics[name][f] for f in ("P@1", "PSP@5", "R@10")) / 3 for name in ("plain", "chosen"))
    assert chosen >= plain
    scores = {candidate["score"] for candidate in metrics["candidates"] if not candidate["votes"]}
    assert round(chosen, 3) in scores


def test_the_best_checkpoint_is_kept(trained: Run):
    """The encoder of the run scores as the best measurement of its training did."""
    measured = [entry["eval_score"] for entry in trained.metrics["history"] if "eval_score" in entry]
    scores = [c["score"] for c in trained.metrics["candidates"] if any(c == c | r.as_json() for r in IN_TRAINING)]
    assert max(scores) == pytest.approx(max(measured), abs=1e-2)


def test_the_same_seed_gives_the_same_vectors(trained: Run, small: Graph, tiny_static: Path, tmp_path: Path):
    """Trained again from the same graph, every vector is the same to the last bit; another seed gives others."""
    again = train(small, make_settings(tiny_static), tmp_path)
    np.testing.assert_array_equal(again.items().vectors, trained.items().vectors)
    np.testing.assert_array_equal(again.queries().vectors, trained.queries().vectors)
    assert again.manifest["encoder_hash"] == trained.manifest["encoder_hash"]
    other = train(small, make_settings(tiny_static, seed=8), tmp_path)
    assert other.manifest["encoder_hash"] != trained.manifest["encoder_hash"]


def test_an_interrupted_training_goes_on(
    trained: Run, small: Graph, tiny_static: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Stopped after a checkpoint and run again, it asks only for the missing batches and ends with the same vectors."""
    asked: list[int] = []
    original = NeighbourStream.batch

    def interrupt(stream: NeighbourStream, rows):
        asked.append(len(rows))
        if len(asked) == 7:
            raise KeyboardInterrupt
        return original(stream, rows)

    monkeypatch.setattr(NeighbourStream, "batch", interrupt)
    with pytest.raises(KeyboardInterrupt):
        train(small, make_settings(tiny_static), tmp_path)
    assert list_runs(tmp_path) == []
    assert list(tmp_path.glob(".*.partial/checkpoint-4"))
    run = train(small, make_settings(tiny_static), tmp_path)
    assert len(asked) == 7 + 8
    np.testing.assert_array_equal(run.items().vectors, trained.items().vectors)
    assert not list(tmp_path.glob(".*.partial"))
    assert run.metrics["history"][0] == pytest.approx(trained.metrics["history"][0])


def test_a_training_that_only_lacked_its_run_directory_is_not_repeated(
    trained: Run, small: Graph, tiny_static: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Killed between the last step and the run directory, it comes back to its best state without another batch."""
    with monkeypatch.context() as patch:
        patch.setattr("recsys.model.train.write_run", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            train(small, make_settings(tiny_static), tmp_path)
    monkeypatch.setattr(NeighbourStream, "batch", lambda *_: pytest.fail("a batch was asked for"))
    run = train(small, make_settings(tiny_static), tmp_path)
    np.testing.assert_array_equal(run.items().vectors, trained.items().vectors)


def test_fresh_begins_anew(small: Graph, tiny_static: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What an interrupted training left is not gone on from when asked to begin anew."""
    settings = make_settings(tiny_static, epochs=1)
    monkeypatch.setattr(NeighbourStream, "batch", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        train(small, settings, tmp_path)
    monkeypatch.undo()
    (partial,) = tmp_path.glob(".*.partial")
    (partial / "left").touch()
    train(small, settings, tmp_path, fresh=True)
    assert not partial.exists()


def test_without_graph_vectors_are_plain(small: Graph, tiny_static: Path, tmp_path: Path):
    """No relation is drawn from, no graph term is logged, and items are what the encoder says."""
    run = train(small, make_settings(tiny_static, graph=False, epochs=1), tmp_path)
    assert run.manifest["graph"] is False
    assert run.manifest["snapshot"]["relations"] == []
    assert run.manifest["composition"] == asdict(Composition(0.0, 0.0))
    assert not any("graph" in entry for entry in run.metrics["history"])
    items = run.items()
    model = SentenceTransformer(str(run.encoder_path), device="cpu")
    np.testing.assert_allclose(model.encode(items.texts), items.vectors, atol=1e-6)


def test_no_held_out_queries_leave_the_default_composition(small: Graph, tiny_static: Path, tmp_path: Path):
    """With nothing to choose by, the last state and the default composition serve."""
    run = train(small, make_settings(tiny_static, validation_share=0, epochs=1), tmp_path)
    assert run.metrics["held_out_queries"] == 0
    assert run.manifest["composition"] == asdict(Composition(2.0, 1.0))
    assert "No query was held out." in (run.path / "README.md").read_text()


def test_a_transformer_trains_from_its_directory(small: Graph, tiny_bert: Path, tmp_path: Path):
    """Any sentence-transformers model goes the same way; its weights change and it loads without us."""
    run = train(small, make_settings(tiny_bert, epochs=1, learning_rate=1e-3), tmp_path)
    queries = run.queries()
    model = SentenceTransformer(str(run.encoder_path), device="cpu")
    np.testing.assert_allclose(model.encode(queries.texts), queries.vectors, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(queries.vectors, axis=1), 1, rtol=1e-5)
    before = SentenceTransformer(str(tiny_bert), device="cpu").encode(queries.texts, normalize_embeddings=True)
    assert np.abs(before - queries.vectors).max() > 1e-3
    assert run.manifest["width"] == 32
    logged = [entry for entry in run.metrics["history"] if "click" in entry]
    assert logged
    assert all("graph" in entry for entry in logged)


def test_the_default_encoder_trains(small: Graph, tmp_path: Path):
    """The static encoder of 384 numbers goes the whole way."""
    settings = TrainSettings(encoder="static", epochs=1, batch_size=30)
    run = train(small, settings, tmp_path)
    assert run.manifest["width"] == 384 + run.scoring.extra
    assert_unit(run.items().vectors[:, :384], run.items().texts)


def test_later_clicks_make_another_training(small: Graph, tiny_static: Path, grow: Callable[[Graph], None]):
    """The plan names what would be read, and a grown graph is another plan."""
    before = plan_training(small, make_settings(tiny_static))
    grow(small)
    after = plan_training(small, make_settings(tiny_static))
    assert after.rows["Item"] == before.rows["Item"] + 1
    assert plan_training(small, make_settings(tiny_static, graph_weight=0)).relations == ()


def test_derived_relations_shape_the_encoder(small: Graph, twin, related, tiny_static: Path, tmp_path: Path):
    """All registered relations are drawn from, those within queries and within items too, and no held-out query is."""
    drawn: list[np.ndarray] = []
    original = NeighbourStream.batch

    def watch(stream: NeighbourStream, rows):
        batch = original(stream, rows)
        drawn.extend(term.draw.drawn_N for term in batch.terms if term.anchor == "Query")
        return batch

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(NeighbourStream, "batch", watch)
        run = train(small, make_settings(tiny_static), tmp_path)
    assert set(related) < {relation["name"] for relation in run.manifest["snapshot"]["relations"]}
    marks = held_out(twin.query_ids, 0.2)
    assert not marks[np.concatenate(drawn)].any()
    without = train(small, make_settings(tiny_static, relations=("CATEGORY",)), tmp_path)
    assert run.manifest["encoder_hash"] != without.manifest["encoder_hash"]
    assert np.isfinite(run.items().vectors).all()


def test_one_query_is_too_few(graph: Graph, tiny_static: Path, tmp_path: Path):
    """A single query with clicks has nothing to be compared with."""
    graph.write("CREATE (q:Query {id: 'q', text: 'q', row: 0})-[:CLICKED {clicks: 1}]->(:Item {id: 'i', row: 0})")
    graph.write("MATCH (c:RowCounter) WHERE c.label <> 'Anchor' SET c.next = 1")
    with pytest.raises(TooFewQueriesError, match=r"only 1 query has clicks.*recsys ingest clicks") as error:
        train(graph, make_settings(tiny_static), tmp_path)
    assert error.value.queries == 1


def test_an_unknown_relation_leaves_nothing_behind(small: Graph, tiny_static: Path, tmp_path: Path):
    """The mistake is found before anything is written."""
    with pytest.raises(UnknownRelationError):
        train(small, make_settings(tiny_static, relations=("BRAND",)), tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_a_missing_encoder_leaves_nothing_behind(small: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Weights that cannot be had are missed before texts and clicks are read."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("recsys.model.train.read_data", lambda *_: pytest.fail("the graph was read"))
    with pytest.raises(EncoderMissingError):
        train(small, make_settings(tmp_path / "nothing here"), tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_mini_batches_are_for_one_process(
    graph: Graph, settings: TrainSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Several processes are refused before anything is read, with what to do instead."""
    monkeypatch.setattr("recsys.model.train.this_process", lambda: (0, 2))
    with pytest.raises(OneProcessError, match="batch_size"):
        train(graph, settings.model_copy(update={"mini_batch_size": 8}), tmp_path)
