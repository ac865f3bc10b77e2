"""Random walks with restart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from recsys.model import walk as module
from recsys.model.walk import Bipartite, Visits, walk

# Node 0 has the anchors 0 and 1, node 1 has 1 and 2, node 2 has 2; nothing leads to anchor 3 of node 3.
PAIRS = [(0, 0), (0, 1), (1, 1), (1, 2), (2, 2), (3, 3)]


def packed(pairs: list[tuple[int, int]], n_nodes: int, n_anchors: int, max_degree: int = 500) -> Bipartite:
    """Return the pairs as a graph to walk on."""
    node, anchor = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return Bipartite.from_edges(node, anchor, n_nodes, n_anchors, max_degree)


def run(edges: Bipartite, starts: np.ndarray, seed: int, **how: float) -> Visits:
    """Return the visits of all blocks."""
    blocks = list(walk(edges, starts, seed, **how))  # type: ignore[arg-type]  # hops, restart and top
    return Visits(*(np.concatenate([vars(b)[name] for b in blocks]) for name in ("start_V", "anchor_V", "visits_V")))


def expected_visits(adjacency: np.ndarray, start: int, hops: int, restart: float) -> np.ndarray:
    """Return the mean visits of each anchor, by powers of the transition matrix."""
    to_anchor = adjacency / adjacency.sum(axis=1, keepdims=True)
    back = (adjacency / adjacency.sum(axis=0, keepdims=True)).T
    at = beginning = np.eye(len(adjacency))[start]
    total = np.zeros(adjacency.shape[1])
    for _ in range(hops):
        visited = at @ to_anchor
        total += visited
        at = restart * beginning + (1 - restart) * visited @ back
    return total


def test_mean_visits_worked_by_hand():
    """Two hops from node 0 that never restart: a half each, then 1/4 + 1/8 and so on."""
    adjacency = np.array([[1.0, 1, 0], [0, 1, 1], [0, 0, 1]])
    # After anchor 0 back to node 0; after anchor 1 to node 0 or 1. Second hop: node 0 with 3/4, node 1 with 1/4.
    by_hand = [1 / 2 + 3 / 8, 1 / 2 + 3 / 8 + 1 / 8, 1 / 8]
    assert expected_visits(adjacency, 0, 2, 0.0) == pytest.approx(by_hand)


@pytest.mark.parametrize(("restart", "start"), [(0.8, 0), (0.8, 2), (0.3, 1), (0.0, 0)])
def test_visits_have_the_distribution_of_the_chain(restart: float, start: int):
    """Over 20,000 walks, Hotelling's T² against the exact means stays below 13.8, the 0.1 % point of χ² at 2."""
    hops, walks = 20, 20_000
    edges = packed(PAIRS, 4, 4)
    found = run(edges, np.full(walks, start), seed=5, hops=hops, restart=restart)
    counts = np.zeros((walks, 3))
    ends = np.flatnonzero(np.cumsum(found.visits_V) % hops == 0)
    which = np.repeat(np.arange(walks), np.diff(ends, prepend=-1))
    counts[which, found.anchor_V] = found.visits_V
    adjacency = np.array([[1.0, 1, 0], [0, 1, 1], [0, 0, 1]])
    off = counts.mean(axis=0) - expected_visits(adjacency, start, hops, restart)
    statistic = walks * off @ np.linalg.pinv(np.cov(counts.T)) @ off
    assert statistic < 13.8


pairs = st.sets(st.tuples(st.integers(0, 7), st.integers(0, 7)), min_size=1, max_size=20)


def reachable(some: set[tuple[int, int]], start: int) -> set[int]:
    """Return the anchors that paths from ``start`` lead to."""
    nodes, anchors = {start}, set[int]()
    while new := {a for n, a in some if n in nodes} - anchors:
        anchors |= new
        nodes |= {n for n, a in some if a in anchors}
    return anchors


@hypothesis_settings(max_examples=60)
@given(some=pairs, seed=st.integers(0, 2**32), hops=st.integers(1, 60), restart=st.sampled_from([0.0, 0.5, 0.8, 1.0]))
def test_walks_stay_on_paths_and_count_every_hop(some: set[tuple[int, int]], seed: int, hops: int, restart: float):
    """Visits go to anchors that paths lead to, or to own ones alone if it always restarts, and sum to the hops."""
    edges = packed(sorted(some), 8, 8)
    found = run(edges, edges.linked, seed, hops=hops, restart=restart)
    assert set(found.start_V) == {node for node, _ in some}
    for start in edges.linked:
        mine = found.start_V == start
        own = {a for n, a in some if n == start}
        assert set(found.anchor_V[mine]) <= (own if restart == 1 else reachable(some, int(start)))
        assert len(set(found.anchor_V[mine])) == mine.sum()
        assert found.visits_V[mine].sum() == hops


def test_the_most_visited_are_kept(monkeypatch: pytest.MonkeyPatch):
    """Of each walk the top anchors are those with most visits, most first, whatever the block begins with."""
    monkeypatch.setattr(module, "_BLOCK", 3)
    rng = np.random.default_rng(2)
    edges = packed(sorted({(int(n), int(a)) for n, a in rng.integers(0, (10, 15), (70, 2))}), 10, 15)
    every, top = (run(edges, edges.linked, 4, top=count) for count in (15, 4))
    for start in edges.linked:
        all_visits = every.visits_V[every.start_V == start]
        kept = top.visits_V[top.start_V == start]
        assert all_visits.tolist() == sorted(all_visits, reverse=True)
        assert kept.tolist() == all_visits[:4].tolist()


def test_hubs_are_left_out():
    """An anchor of more nodes than allowed is never visited, and a node with no other anchor has no walk."""
    edges = packed([(0, 0), (1, 0), (2, 0), (0, 1), (1, 2)], 3, 3, max_degree=2)
    assert edges.hubs == 1
    assert edges.linked.tolist() == [0, 1]
    assert set(run(edges, edges.linked, 0).anchor_V) == {1, 2}


def test_chance_decides_among_equals():
    """A node with ten times as many anchors as are kept keeps others under another seed, the same under the same."""
    edges = packed([(0, a) for a in range(100)], 1, 100)
    kept = [frozenset(run(edges, np.array([0]), seed, hops=100, top=10).anchor_V.tolist()) for seed in (1, 2, 1)]
    assert kept[0] == kept[2] != kept[1]
