"""What a batch of texts says about known positives by itself."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from sentence_transformers import SentenceTransformer
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from recsys.model.losses.pairs import known_in_batch, text_groups

ANCHORS = ["red shoe", "oak table", "red shoe", "tin cup"]
POSITIVES = ["blue shoe", "desk", "wool scarf", "blue shoe"]
NEGATIVES = ["desk", "lamp", "lamp", "wool scarf"]
KNOWN = [[1, 0, 1, 1], [0, 1, 0, 0], [1, 0, 1, 1], [1, 0, 0, 1]]
KNOWN_NEGATIVES = [[0, 0, 0, 1], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]]


def as_tokens(texts: list[str]) -> dict[str, Tensor]:
    """Return padded token ids, as a transformer's tokeniser gives them."""
    ids = [torch.tensor([sum(word.encode()) for word in text.split()]) for text in texts]
    padded = pad_sequence(ids, batch_first=True)
    return {"input_ids": padded, "attention_mask": (padded > 0).long()}


@pytest.mark.parametrize("static", [True, False])
def test_equal_anchors_share_their_positives(static: bool, tiny_static: Path):
    """Rows 0 and 2 ask the same: what either clicked is known to both, also among further negatives."""
    preprocess = SentenceTransformer(str(tiny_static), device="cpu").preprocess if static else as_tokens
    columns = [preprocess(texts) for texts in (ANCHORS, POSITIVES, NEGATIVES)]
    assert known_in_batch(columns[:2]).int().tolist() == KNOWN
    expected = [row + further for row, further in zip(KNOWN, KNOWN_NEGATIVES, strict=True)]
    assert known_in_batch(columns).int().tolist() == expected


def test_texts_are_told_apart_by_their_tokens():
    """Order, length and an empty text make a difference; padding does not."""
    static = {"input_ids": torch.tensor([5, 6, 6, 5, 5, 6]), "offsets": torch.tensor([0, 2, 4, 4])}
    group = text_groups([static]).tolist()
    assert group[0] == group[3]
    assert len(set(group)) == 3
    padded = {"input_ids": torch.tensor([[5, 0], [5, 0]]), "attention_mask": torch.tensor([[1, 0], [1, 1]])}
    assert len(set(text_groups([padded]).tolist())) == 2
