"""Similarities that are kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recsys.model import similarities as module
from recsys.model.scratch import Scratch
from recsys.model.similarities import Similarities


@pytest.mark.parametrize(("keep", "limit"), [(False, 1 << 30), (True, 1 << 30), (True, 7 * 5 * 4), (True, 139)])
def test_every_pass_gives_the_products(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keep: bool, limit: int):
    """The first pass and later ones, in blocks of any size; nothing is kept that is too large."""
    monkeypatch.setattr(module, "KEPT", limit)
    rng = np.random.default_rng(0)
    asked, items = (rng.normal(size=(n, 3)).astype(np.float32) for n in (7, 5))
    similarities = Similarities(asked, items, Scratch(tmp_path), keep=keep)
    assert similarities.are_kept == (keep and limit >= 140)
    for size in (3, 3, 7, 1):
        for start in range(0, 7, size):
            block = slice(start, min(start + size, 7))
            np.testing.assert_allclose(similarities.of(block).numpy(), asked[block] @ items.T, rtol=1e-5)
