"""Run directories."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from recsys.core.files import hash_tree
from recsys.core.scoring import Scoring
from recsys.core.settings import TrainSettings
from recsys.graph.client import Graph
from recsys.model.borrowed import means_of_nearest
from recsys.model.composition import PLAIN, Composition, compose, mean_of_queries, unit
from recsys.model.data import read_data
from recsys.model.encoder import load_encoder
from recsys.model.held_out_evaluator import encode_all
from recsys.model.residual import learn_residual
from recsys.model.snapshot import take_snapshot
from recsys.model.write_run import Outcome, _served, write_run

COMPOSED = Composition(2.0, 1.0)


@pytest.fixture
def outcome(small: Graph, settings: TrainSettings, tmp_path: Path) -> Outcome:
    """An encoder that was not trained, with items composed."""
    data = read_data(small, take_snapshot(small), tmp_path, 0.2)
    model = load_encoder(settings.encoder, 32)
    encoded = encode_all(model, data.texts, 16)
    return Outcome(model, data, encoded, COMPOSED, Scoring(), settings)


def test_items_are_composed_with_every_click(outcome: Outcome, twin):
    """What serves knows the clicks of held-out queries too; plain vectors are left as they are."""
    clicks = twin.as_clicks()
    assert outcome.data.held_out.any()
    mean = mean_of_queries(outcome.encoded.queries, clicks)
    expected = compose(outcome.encoded.items, mean, clicks.per_item()[1], COMPOSED)
    np.testing.assert_array_equal(_served(outcome).vectors, expected)
    plain = Outcome(outcome.encoder, outcome.data, outcome.encoded, PLAIN, Scoring(), outcome.settings)
    np.testing.assert_array_equal(_served(plain).vectors, outcome.encoded.items)


def test_a_residual_at_hand_is_not_learnt_again(outcome: Outcome):
    """What was learnt from all clicks already gives the same vectors as learning anew; other sums give others."""
    with_residual = replace(outcome, composition=replace(COMPOSED, residual=True))
    data = outcome.data
    learnt = learn_residual(outcome.encoded, data.clicks, data.excluded, outcome.settings.seed)
    found = [_served(replace(with_residual, learnt=some)).vectors for some in (None, learnt, learnt[::-1])]
    np.testing.assert_array_equal(found[0], found[1])
    assert (found[0] != found[2]).any()


def test_anchors_stand_beside_the_text(outcome: Outcome, twin):
    """Items are norm(E + δ·A) plus their queries, and the length of that sum is noted."""
    anchors = outcome.encoded.items[::-1].copy()
    how = replace(COMPOSED, anchors=0.5)
    served = _served(replace(outcome, composition=how, encoded=replace(outcome.encoded, anchors=anchors)))
    clicks = twin.as_clicks()
    text = outcome.encoded.items + np.float32(0.5) * anchors
    mean = mean_of_queries(outcome.encoded.queries, clicks)
    expected = compose(unit(text), mean, clicks.per_item()[1], COMPOSED)
    np.testing.assert_allclose(served.vectors, expected, atol=1e-6)
    np.testing.assert_allclose(served.text_lengths, np.linalg.norm(text, axis=1), atol=1e-6)


def test_items_borrow_by_their_titles(outcome: Outcome, twin):
    """Items take the queries of those whose E(z) is near, whatever stands beside it in their own vectors."""
    how, clicks, encoded = replace(COMPOSED, residual=True, borrowed=0.5), twin.as_clicks(), outcome.encoded
    mean, degree = mean_of_queries(encoded.queries, clicks), clicks.per_item()[1]
    learnt = encoded.items[::-1].copy()
    near = means_of_nearest(encoded.items, mean, degree)
    expected = compose(unit(learnt), mean, degree, how, borrowed_LD=near)
    found = _served(replace(outcome, composition=how, learnt=learnt)).vectors
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert np.abs(found - compose(unit(learnt), mean, degree, COMPOSED)).max() > 0.01


def test_a_run_appears_whole(outcome: Outcome, twin, tmp_path: Path):
    """What an earlier attempt left under the hidden name is replaced, and only the finished name stays."""
    runs = tmp_path / "runs"
    (runs / ".r1").mkdir(parents=True)
    (runs / ".r1" / "left").touch()
    run = write_run(outcome, {"held_out_queries": 0}, runs, "r1")
    assert [path.name for path in runs.iterdir()] == ["r1"]
    assert not (run.path / "left").exists()
    assert run.manifest["encoder_hash"] == hash_tree(run.encoder_path)
    assert run.metrics == {"composition": asdict(COMPOSED), "scoring": asdict(Scoring()), "held_out_queries": 0}
    items = run.items()
    assert (items.ids, items.texts) == (twin.item_ids, twin.item_texts)
    assert items.payloads == [{"price": row} for row in range(30)]
    np.testing.assert_equal((items.clicks, items.degree), twin.as_clicks().per_item())


def test_a_bonus_widens_what_serves(outcome: Outcome, twin, tmp_path: Path):
    """With a bonus, vectors have two more numbers, and the dot product gives it to items that nobody clicked."""
    wide = replace(outcome, scoring=Scoring(bonus=0.05, votes=0.5, votes_bonus=0.1))
    run = write_run(wide, {"held_out_queries": 0}, tmp_path / "runs", "r1")
    items, queries = run.items(), run.queries()
    assert run.manifest["width"] == items.vectors.shape[1] == queries.vectors.shape[1] == 18
    assert run.scoring == wide.scoring
    narrow = queries.vectors[:, :-2] @ items.vectors[:, :-2].T
    bonus = 0.05 * (items.degree == 0) * queries.vectors.any(axis=1)[:, None]
    assert 0 < (items.degree == 0).sum() < 30
    np.testing.assert_allclose(queries.vectors @ items.vectors.T, narrow + bonus, atol=1e-5)
    assert {(q, i) for q, p in enumerate(queries.payloads) for i in p["items"]} == set(twin.clicks)
