"""Vectors of many rows as an encoder stands."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from recsys.graph.client import Graph
from recsys.model.encode_rows import encode_rows
from recsys.model.features import make_features
from recsys.model.scratch import Scratch
from recsys.model.texts import Texts


@pytest.mark.parametrize("kind", ["tiny_bert", "tiny_static"])
@pytest.mark.parametrize("batch_size", [1, 2, 64])
def test_rows_have_the_vectors_of_their_texts(
    small: Graph, twin, tmp_path: Path, request: pytest.FixtureRequest, kind: str, batch_size: int
):
    """In whatever order and number rows are encoded, each has its text's vector, and training goes on as it was."""
    model = SentenceTransformer(str(request.getfixturevalue(kind)), device="cpu")
    model.train()
    rows = np.array([5, 0, 3, 3, 8, 1])
    features = make_features(model, {"Query": Texts.fetch(small, "Query", 60, tmp_path / "Query")})
    found = encode_rows(model, features, "Query", rows, batch_size, Scratch(tmp_path))
    assert model.training
    expected = model.encode([twin.query_texts[row] for row in rows])
    np.testing.assert_allclose(found, expected, atol=1e-6)
