"""Random walks of 400 hops from 100,000 nodes, and how they grow with the number of nodes.

Usage: python benchmarks/walk.py
"""

from __future__ import annotations

import time

import numpy as np

from recsys.model.walk import HOPS, Bipartite, walk

SIZES = (10_000, 100_000)
DEGREE = 8
"Anchors per node on average; how often an anchor is drawn falls as a power of its rank."


def random_edges(nodes: int) -> Bipartite:
    """Return a graph with a fifth as many anchors as nodes, few of them popular."""
    rng = np.random.default_rng(0)
    anchors = nodes // 5
    source = rng.integers(0, nodes, nodes * DEGREE)
    target = (anchors * rng.random(len(source)) ** 2).astype(np.int64)
    source, target = np.unique(np.stack([source, target]), axis=1)
    return Bipartite.from_edges(source, target, nodes, anchors)


def main() -> None:
    """Print seconds, hops per second and what was kept."""
    for size in SIZES:
        edges = random_edges(size)
        starts = edges.linked
        began = time.perf_counter()
        kept = sum(len(found.visits_V) for found in walk(edges, starts, seed=0))
        seconds = time.perf_counter() - began
        print(
            f"{len(starts):9,} nodes, {len(edges.anchor_E):11,} edges: {seconds:6.2f} s, "
            f"{len(starts) * HOPS / seconds / 1e6:5.1f} million hops/s, {kept:,} edges kept"
        )


if __name__ == "__main__":
    main()
