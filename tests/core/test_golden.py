"""Golden queries in a run directory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recsys.core.golden import Golden, counted, golden_figures, read_golden, write_golden

GOLDEN = Golden(["red shoe", "oak", ""], [["a"], ["b", "c"], ["d"]], [[], ["x"], []], np.eye(3, dtype=np.float32))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """Texts, clicked and excluded ids and vectors come back; a run without the file has none."""
    assert read_golden(tmp_path) is None
    write_golden(tmp_path, GOLDEN)
    found = read_golden(tmp_path)
    assert found is not None
    assert (found.texts, found.items, found.excluded) == (GOLDEN.texts, GOLDEN.items, GOLDEN.excluded)
    np.testing.assert_array_equal(found.vectors, GOLDEN.vectors)


def test_figures_worked_by_hand() -> None:
    """Of three queries one finds its item first, one half of its items once x is passed over, one nothing."""
    figures = golden_figures([["a", "b"], ["x", "b", *"fghijklmn", "c"], []], GOLDEN)
    # P@1: a is first, b is first but for x; R@10: 1, 1/2 as c comes eleventh, 0
    assert figures["P@1"] == pytest.approx(100 * 2 / 3)
    assert figures["R@10"] == pytest.approx(100 * 1.5 / 3)


def test_enough_is_asked_for() -> None:
    """Ten results are left, however many are passed over."""
    assert GOLDEN.depth == 11
    assert counted(["x", *"abcdefghijk"], ["x"]) == [*"abcdefghij"]
