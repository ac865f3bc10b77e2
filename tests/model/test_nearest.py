"""The nearest items that are not left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from recsys.model import nearest as module
from recsys.model.composition import unit
from recsys.model.nearest import LeftOut, nearest
from recsys.model.scratch import MEMORY, Scratch

CPU = torch.device("cpu")


def pairs(position: np.ndarray, item: np.ndarray) -> LeftOut:
    """Leave out these pairs."""

    def of(some: slice) -> tuple[np.ndarray, np.ndarray]:
        inside = (position >= some.start) & (position < some.stop)
        return position[inside] - some.start, item[inside]

    return of


def test_near_items_worked_by_hand():
    """Cosines 1, 0.8, 0.6 and 0 with the first item excluded leave the second and third; too few leave −1."""
    queries = np.array([[1.0, 0.0], [0.0, 1.0]], dtype=np.float32)
    items = np.array([[1.0, 0.0], [0.8, 0.6], [0.6, 0.8], [0.0, 1.0]], dtype=np.float32)
    excluded = (np.array([1, 0, 1, 1]), np.array([3, 0, 0, 2]))
    assert nearest(queries, items, pairs(*excluded), 2, CPU).tolist() == [[1, 2], [1, -1]]


@hypothesis_settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32),
    n=st.integers(1, 9),
    m=st.integers(1, 9),
    k=st.integers(1, 10),
    share=st.sampled_from([0.0, 0.4, 1.0]),
    block=st.sampled_from([1, 20, 1 << 24]),
    columns=st.sampled_from([1, 3, 1 << 16]),
)
def test_near_items_are_those_of_a_full_sort(seed: int, n: int, m: int, k: int, share: float, block: int, columns: int):
    """Whatever the blocks, each query gets its best items in order, and never one that is excluded."""
    rng = np.random.default_rng(seed)
    queries, items = (rng.normal(size=(size, 4)).astype(np.float32) for size in (n, m))
    excluded = np.nonzero(rng.random((n, m)) < share)
    scores = queries.astype(np.float64) @ items.T.astype(np.float64)
    expected = [
        [i for i in np.argsort(-row) if (p, i) not in set(zip(*excluded, strict=True))] for p, row in enumerate(scores)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "has_bfloat16", lambda _: False)
        patch.setattr(module, "BLOCK_SCORES", block)
        patch.setattr(module, "COLUMNS", columns)
        found = nearest(queries, items, pairs(*excluded), k, CPU)
    assert found.tolist() == [(some + [-1] * m)[: min(k, m)] for some in expected]


@pytest.mark.parametrize("on_disk", [True, False])
@pytest.mark.parametrize("able", [True, False])
def test_bfloat16_mistakes_its_rounding_alone(
    monkeypatch: pytest.MonkeyPatch, able: bool, on_disk: bool, tmp_path: Path
):
    """By rank the cosines of what it finds are those of the exact nearest, to a hundredth; float32 finds these."""
    rng = np.random.default_rng(0)
    none = np.empty(0, np.int64)
    queries, items = (unit(rng.normal(size=(n, 16)).astype(np.float32)) for n in (50, 400))
    monkeypatch.setattr(module, "has_bfloat16", lambda _: able)
    found = nearest(queries, items, pairs(none, none), 10, CPU, Scratch(tmp_path) if on_disk else MEMORY)
    scores = queries @ items.T
    exact = -np.sort(-scores, axis=1)[:, :10]
    assert np.abs(np.take_along_axis(scores, found, axis=1) - exact).max() < (0.01 if able else 1e-6)
