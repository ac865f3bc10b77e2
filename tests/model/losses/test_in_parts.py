"""A large batch in the memory of a small one."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize

from recsys.model.losses.ramen import RamenLoss

QUERIES = ["red shoe", "blue lamp in oak", "oak table", "wool scarf", "tin mug"]
ITEMS = ["blue shoe", "desk", "table", "scarf red wool", "cup tin"]


def gradients(bert: Path, part: int) -> tuple[float, dict[str, torch.Tensor], int]:
    """Return the loss of one step, its gradients, and the most texts that the encoder was given at once."""
    model = SentenceTransformer(str(bert), device="cpu")
    model.append(Normalize())
    seen: list[int] = []
    model[0].register_forward_pre_hook(lambda _, args: seen.append(len(args[0]["input_ids"])))
    model.eval()  # dropout would tell them apart
    loss = RamenLoss(model, click_loss="infonce", mini_batch_size=part)
    columns = [model.preprocess(texts) for texts in (QUERIES, ITEMS)]
    total = loss(columns)["click"]
    total.backward()
    found = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    return total.item(), found, max(seen)


@pytest.mark.parametrize("part", [1, 2, 5, 64])
def test_parts_give_the_gradient_of_the_whole(tiny_bert: Path, part: int):
    """Loss and all gradients are those of a step in one piece, and no more texts are encoded at once than asked for."""
    whole, expected, _ = gradients(tiny_bert, 0)
    loss, found, most = gradients(tiny_bert, part)
    assert loss == pytest.approx(whole, abs=1e-5)
    assert most == min(part, 5)
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, atol=1e-5, rtol=1e-4)
