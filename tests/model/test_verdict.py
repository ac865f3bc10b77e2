"""What a comparison says in words, and its picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from recsys.model.compare import FIGURES, Comparison, Row
from recsys.model.compare_plot import draw
from recsys.model.verdict import verdict


def row(name: str, hits: list[float], never: list[float]) -> Row:
    """A system with the same value for every figure of a query."""
    values = {figure: np.array(hits) for figure in FIGURES}
    by_seed = {figure: [100 * float(np.mean(hits))] for figure in FIGURES}
    return Row(name, "", values, {"never": np.array(never), "head": np.array(hits)}, by_seed, 1.0, 2**20, 0.5)


GOOD, BAD = [1.0] * 8 + [0.0] * 2, [0.0] * 10


def compared(*rows: Row) -> list[str]:
    """The verdict on these systems."""
    return verdict(Comparison(rows, 10, [0]), seed=0)


def test_a_graph_that_pays_says_where_it_costs():
    """Ahead by 80 points everywhere but on never-clicked items, where it is behind by 100."""
    lines = compared(row("recsys", GOOD, [0.0] * 5), row("no_graph", BAD, [1.0] * 5))
    assert lines[0].startswith("the graph paid (recsys against no_graph): P@1 +80.0 (")
    assert lines[1].startswith("  ahead in R@10 on items of the slice: head +80.0")
    assert lines[2] == "  behind in R@10 on items of the slice: never -100.0 (-100.0 to -100.0)"


def test_a_graph_that_costs_or_changes_nothing():
    """The same values make no difference, lower ones cost."""
    assert compared(row("recsys", GOOD, []), row("no_graph", GOOD, []))[0].startswith("the graph made no clear diff")
    assert compared(row("recsys", BAD, []), row("no_graph", GOOD, []))[0].startswith("the graph cost")


def test_every_baseline_is_named():
    """The default stands against each baseline that took part; with votes where it has them."""
    lines = compared(row("recsys", BAD, []), row("recsys + votes", GOOD, []), row("bm25", BAD, []))
    assert len(lines) == 1
    assert lines[0].startswith("recsys + votes is ahead of bm25: P@1 +80.0")
    assert compared(row("recsys", BAD, []), row("bm25", GOOD, []))[0].startswith("recsys is behind bm25: ")
    assert compared(row("recsys", BAD, []), row("bm25", BAD, []))[0].startswith("recsys is level with bm25: ")
    assert compared(row("bm25", BAD, [])) == ["nothing is said, because recsys took no part"]


def test_the_picture_is_drawn(tmp_path: Path):
    """A file of the kind that its name says, with the systems in it."""
    draw(Comparison([row("bm25", BAD, [0.0]), row("recsys", GOOD, [1.0])], 10, [0]), tmp_path / "compare.svg")
    assert "<svg" in (tmp_path / "compare.svg").read_text("utf-8")
