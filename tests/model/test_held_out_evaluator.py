"""Measuring the encoder while it trains."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from recsys.graph.client import Graph
from recsys.model.features import make_features
from recsys.model.held_out import Encoded, HeldOut
from recsys.model.held_out_evaluator import HeldOutEncoder, HeldOutEvaluator
from recsys.model.recipe import IN_TRAINING
from recsys.model.texts import Texts
from recsys.model.trials import Trials


def test_the_evaluator_encodes_and_scores(small: Graph, twin, tmp_path: Path, tiny_static: Path):
    """The trainer gets the figures of the best composition of the vectors that the model gives, and their score."""
    texts = {label: Texts.fetch(small, label, n, tmp_path / label) for label, n in (("Query", 60), ("Item", 30))}
    data = HeldOut.by_marks(texts, twin.as_clicks(), np.arange(60) % 5 == 0, twin.excluded)
    model = SentenceTransformer(str(tiny_static), device="cpu")
    trials = Trials(data, Encoded(model.encode(twin.item_texts), model.encode(twin.query_texts)))
    found = HeldOutEvaluator(data, IN_TRAINING, HeldOutEncoder(make_features(model, texts), data, batch_size=7))(model)
    names = ("P@1", "PSP@5", "R@10")
    reached = [[trials.figures(recipe)[name] for name in names] for recipe in IN_TRAINING]
    best = max(reached, key=sum)
    assert found == pytest.approx({**dict(zip(names, best, strict=True)), "score": sum(best) / 3})
