"""Says in words whether the graph paid, and where."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recsys.model.bootstrap import Difference, paired_difference
from recsys.model.compare import SLICE_FIGURE, Comparison, Row
from recsys.model.metrics import Floats

OURS, WITHOUT = "recsys", "no_graph"
FIGURES = ("P@1", "R@10", "PSP@5")
BASELINES = ("popularity", "bm25", "bm25_queries", "item_knn", "untrained", "graph_sage", "light_gcn")


def verdict(comparison: Comparison, seed: int) -> list[str]:
    """Return sentences: our default against the same encoder without graph, by slice, and against each baseline.

    Intervals are 95 % of a paired bootstrap over queries, in percentage points.
    """
    ours = comparison.row(f"{OURS} + votes") or comparison.row(OURS)
    if ours is None:
        return [f"nothing is said, because {OURS} took no part"]
    rng = np.random.default_rng(seed)
    lines = []
    without = comparison.row(WITHOUT)
    if without is not None:
        lines += _paid(comparison, without, rng)
    for name in BASELINES:
        other = comparison.row(name)
        if other is not None:
            lines.append(_against(ours, other, rng))
    return lines


def _paid(comparison: Comparison, without: Row, rng: np.random.Generator) -> list[str]:
    lines = []
    for name in (OURS, f"{OURS} + votes"):
        ours = comparison.row(name)
        if ours is None:
            continue
        found = {figure: _difference(ours.values[figure], without.values[figure], rng) for figure in FIGURES}
        lines.append(f"{_opening(list(found.values()))} ({name} against {WITHOUT}): {_list(found)}")
        by_slice = {
            slice_: _difference(ours.slices[slice_], without.slices[slice_], rng)
            for slice_ in ours.slices
            if len(ours.slices[slice_])
        }
        for word in ("ahead", "behind", "level"):
            those = {s: d for s, d in by_slice.items() if d.verdict == word}
            if those:
                lines.append(f"  {word} in {SLICE_FIGURE} on items of the slice: {_list(those)}")
    return lines


def _opening(found: Sequence[Difference]) -> str:
    verdicts = {difference.verdict for difference in found}
    if verdicts <= {"ahead", "level"} and "ahead" in verdicts:
        return "the graph paid"
    if verdicts <= {"behind", "level"} and "behind" in verdicts:
        return "the graph cost"
    return "the graph made no clear difference" if verdicts == {"level"} else "the graph paid in part"


def _against(ours: Row, other: Row, rng: np.random.Generator) -> str:
    found = {figure: _difference(ours.values[figure], other.values[figure], rng) for figure in FIGURES}
    verdicts = [difference.verdict for difference in found.values()]
    word = verdicts[0] if len(set(verdicts)) == 1 else "in part ahead" if "ahead" in verdicts else "not ahead"
    return f"{ours.name} is {word} of {other.name}: {_list(found)}".replace("behind of", "behind").replace(
        "level of", "level with"
    )


def _difference(ours: Floats, theirs: Floats, rng: np.random.Generator) -> Difference:
    return paired_difference(100 * ours, 100 * theirs, rng)


def _list(found: dict[str, Difference]) -> str:
    return ", ".join(f"{name} {d.mean:+.1f} ({d.low:+.1f} to {d.high:+.1f})" for name, d in found.items())
