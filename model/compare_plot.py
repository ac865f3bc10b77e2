"""One picture of a comparison: P@1 and R@10 of every system, and R@10 by slice."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from recsys.model.compare import SLICE_FIGURE, Comparison

_OURS, _OTHERS = "#1f5fa8", "#b8bec6"


def draw(comparison: Comparison, path: Path) -> None:
    """Write the plot to ``path``; its suffix says the format, such as svg or png."""
    from matplotlib.figure import Figure

    rows = list(comparison.rows)[::-1]
    names = [row.name for row in rows]
    colours = [_OURS if row.name.startswith("recsys") else _OTHERS for row in rows]
    slices = [name for name in rows[0].slices if any(len(row.slices[name]) for row in rows)]
    figure = Figure(figsize=(4 + 2.2 * (2 + len(slices)), 1 + 0.35 * len(rows)), layout="constrained")
    panels = figure.subplots(1, 2 + len(slices), sharey=True)
    for axis, name in zip(panels[:2], ("P@1", "R@10"), strict=True):
        values = [row.figures[name] for row in rows]
        axis.barh(names, values, color=colours)
        for row, place in zip(rows, range(len(rows)), strict=True):
            seeds = row.by_seed[name]
            axis.plot([min(seeds), max(seeds)], [place, place], color="black", linewidth=1)
            axis.annotate(f"{row.figures[name]:.1f}", (max(seeds), place), (3, -3), textcoords="offset points", size=8)
        axis.set_title(name)
    for axis, name in zip(panels[2:], slices, strict=True):
        axis.barh(names, [100 * np.mean(row.slices[name]) for row in rows], color=colours)
        axis.set_title(f"{SLICE_FIGURE}, {name}")
    for axis in panels:
        axis.spines[["top", "right"]].set_visible(False)
        axis.set_xlim(0, 100)
    figure.savefig(path)
