"""Model inputs of nodes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer

from recsys.graph.client import Graph
from recsys.model.features import StaticFeatures, TextFeatures, TokenFeatures
from recsys.model.texts import Texts

ROWS = {"Item": np.array([3, 3, 29, 0]), "Query": np.array([7, 59, 7, 1])}


@pytest.fixture
def texts(small: Graph, tmp_path: Path) -> dict[str, Texts]:
    """Texts of every label; query 7 has an empty one."""
    return {
        label: Texts.fetch(small, label, stop, tmp_path / label)
        for label, stop in (("Query", 60), ("Item", 30), ("Anchor", 12))
    }


def expected_texts(twin, rows) -> list[str]:
    """Return the texts of the rows, label after label."""
    by_label = {"Query": twin.query_texts, "Item": twin.item_texts, "Anchor": twin.anchor_texts}
    return [by_label[label][row] for label, some in rows.items() for row in some]


@pytest.mark.parametrize(
    "rows", [ROWS, {"Anchor": np.array([11])}, {"Query": np.arange(60)[::-1], "Anchor": np.arange(12)}]
)
def test_static_features_equal_preprocessing(texts, twin, tiny_static: Path, rows):
    """Gathering token ids gives what tokenising the texts gives, also around an empty text."""
    module = SentenceTransformer(str(tiny_static), device="cpu")[0]
    found, expected = StaticFeatures(texts, module)(rows), module.preprocess(expected_texts(twin, rows))
    assert set(found) <= set(expected)
    for name, values in found.items():
        torch.testing.assert_close(values, expected[name])
    torch.testing.assert_close(
        module(dict(found))["sentence_embedding"], module(dict(expected))["sentence_embedding"], equal_nan=True
    )


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("kind", [TextFeatures, TokenFeatures])
def test_features_of_a_transformer_equal_preprocessing(texts, twin, tiny_bert: Path, kind, side):
    """Tokens of the texts come out as the encoder makes them, whether tokenised once or each time."""
    model = SentenceTransformer(str(tiny_bert), device="cpu")
    model.tokenizer.padding_side = side
    for rows in (ROWS, {"Anchor": np.array([11])}):
        found = kind(texts, model if kind is TokenFeatures else model.preprocess)(rows)
        expected = model.preprocess(expected_texts(twin, rows))
        assert found.keys() == expected.keys()
        for name in ("input_ids", "attention_mask", "token_type_ids"):
            torch.testing.assert_close(found[name], expected[name])
