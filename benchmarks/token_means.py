"""A step of the static encoder, forward, backward and sparse Adam, with our bag of tokens against torch's own.

Usage: python benchmarks/token_means.py
"""

from __future__ import annotations

import time

import numpy as np
import torch
from torch import nn

from recsys.model.token_means import TokenMeans

VOCABULARY, WIDTH, TEXTS, TOKENS, COLUMNS, REPEATS = 30_522, 384, 1024, 9, 5, 20


def seconds(bag: nn.EmbeddingBag) -> float:
    """Return the median processor seconds of a step over texts whose words follow Zipf's law."""
    rng = np.random.default_rng(0)
    share = 1 / np.arange(1, VOCABULARY + 1)
    tokens = [rng.choice(VOCABULARY, TEXTS * TOKENS, p=share / share.sum()) for _ in range(COLUMNS)]
    first, gradient = torch.arange(0, TEXTS * TOKENS, TOKENS), torch.randn(TEXTS, WIDTH)
    optimizer = torch.optim.SparseAdam(bag.parameters())
    times = []
    for _ in range(REPEATS):
        began = time.process_time()
        optimizer.zero_grad()
        means = [bag(torch.from_numpy(column), first) for column in tokens]
        torch.autograd.backward(means, [gradient] * COLUMNS)
        optimizer.step()
        times.append(time.process_time() - began)
    return sorted(times)[REPEATS // 2]


def main() -> None:
    """Print both and their ratio."""
    weight = torch.randn(VOCABULARY, WIDTH)
    ours, theirs = (
        seconds(TokenMeans(weight.clone())),
        seconds(nn.EmbeddingBag.from_pretrained(weight, False, sparse=True)),
    )
    print(f"{COLUMNS} x {TEXTS} texts: ours {ours * 1e3:.0f} ms, torch {theirs * 1e3:.0f} ms, {theirs / ours:.2f}x")


if __name__ == "__main__":
    main()
