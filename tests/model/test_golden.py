"""Golden queries of a training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from recsys.core.golden import Golden
from recsys.core.scoring import Scoring
from recsys.model.clicks import Clicks
from recsys.model.golden import choose_golden, measure_golden
from recsys.model.held_out import Encoded, HeldOut
from recsys.model.pairs import PairsByQuery
from recsys.model.texts import Texts
from tests.model.text_files import written

CLICKS = Clicks(np.array([0, 1, 2, 3, 3, 4]), np.array([0, 1, 2, 0, 3, 1]), np.ones(6, np.int64), 5, 4)
HELD_OUT = np.array([False, False, False, True, True])
ENCODED = Encoded(np.eye(4, dtype=np.float32), np.eye(5, 4, dtype=np.float32))


def texts(path: Path, kind: str, n: int) -> Texts:
    """Return ``n`` texts of a kind."""
    return written(path, ([f"{kind}{row}" for row in range(n)], [f"the {kind} {row}" for row in range(n)]))


@pytest.fixture
def held_out(tmp_path: Path) -> HeldOut:
    """Query 3 clicked items 0 and 3 and is the page of item 2; query 4 clicked item 1."""
    labels = {"Query": texts(tmp_path / "q", "q", 5), "Item": texts(tmp_path / "i", "i", 4)}
    return HeldOut.by_marks(labels, CLICKS, HELD_OUT, PairsByQuery.of(np.array([3]), np.array([2])))


def test_held_out_queries_are_golden(held_out: HeldOut) -> None:
    """Texts, clicked and excluded ids and vectors are those of the held-out queries, in order."""
    golden = choose_golden(held_out, ENCODED, Scoring())
    assert golden is not None
    assert golden.texts == ["the q 3", "the q 4"]
    assert (golden.items, golden.excluded) == ([["i0", "i3"], ["i1"]], [["i2"], []])
    np.testing.assert_array_equal(golden.vectors, ENCODED.queries[3:])


def test_vectors_are_ready_for_a_single_search(held_out: HeldOut) -> None:
    """With a bonus they have two more numbers."""
    golden = choose_golden(held_out, ENCODED, Scoring(bonus=0.02, popularity=0.03))
    assert golden is not None
    np.testing.assert_allclose(golden.vectors, [[0, 0, 0, 1, 0.2, 3], [0, 0, 0, 0, 0, 0]])


def test_a_limit_takes_queries_from_everywhere(held_out: HeldOut) -> None:
    """The first and the last are among them, none twice, and no more than the limit."""
    one, many = (choose_golden(held_out, ENCODED, Scoring(), limit) for limit in (1, 99))
    assert one is not None
    assert many is not None
    assert (one.texts, many.texts) == (["the q 3"], ["the q 3", "the q 4"])


def test_without_held_out_queries_there_are_none(tmp_path: Path) -> None:
    """Nothing held out, nothing to judge by."""
    nothing = PairsByQuery.of(np.arange(0), np.arange(0))
    nobody = HeldOut.by_marks({"Item": texts(tmp_path / "i", "i", 4)}, CLICKS, ~np.ones(5, bool), nothing)
    assert choose_golden(nobody, ENCODED, Scoring()) is None


def test_figures_are_of_exact_search() -> None:
    """The first query finds its item once its own page is passed over, the second has the zero vector."""
    golden = Golden(["a", "b"], [["i0"], ["i1"]], [["i2"], []], np.array([[3, 0, 4], [0, 0, 0]], np.float32))
    figures = measure_golden(golden, pa.chunked_array([["i0", "i1", "i2"]]), np.eye(3, dtype=np.float32))
    assert figures == {"queries": 2, "P@1": 50, "R@10": 50}
