"""Similarities that are kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recsys.model import similarities as module
from recsys.model.scratch import Scratch
from recsys.model.similarities import Similarities


@pytest.mark.parametrize(("keep", "limit"), [(False, 1 << 30), (True, 1 << 30), (True, 2 * 7 * 5 * 4), (True, 279)])
def test_every_pass_gives_the_products(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep: bool, limit: int):
    """The first pass and later ones, in blocks of any size; nothing is kept that is too large."""
    monkeypatch.setattr(module, "KEPT", limit)
    rng = np.random.default_rng(0)
    asked, *sides = (rng.normal(size=(n, 3)).astype(np.float32) for n in (7, 5, 5))
    similarities = Similarities(asked, sides, Scratch(tmp_path), keep=keep)
    assert similarities.are_kept == (keep and limit >= 280)
    for size in (3, 3, 7, 1):
        for start in range(0, 7, size):
            block = slice(start, min(start + size, 7))
            for found, side in zip(similarities.of(block), sides, strict=True):
                np.testing.assert_allclose(found.numpy(), asked[block] @ side.T, rtol=1e-5)
