"""The click graph as arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recsys.graph import pages
from recsys.graph.client import Graph
from recsys.model import scratch
from recsys.model.clicks import read_clicks
from recsys.model.scratch import Scratch
from recsys.model.snapshot import take_snapshot


@pytest.mark.parametrize("page_rows", [13, 1000])
def test_clicks_equal_the_graph(
    small: Graph, twin, grow: Callable[[Graph], None], monkeypatch: pytest.MonkeyPatch, page_rows: int
):
    """Every pair of the snapshot, sorted, whatever the page size; later queries and items stay out."""
    monkeypatch.setattr(pages, "PAGE_ROWS", page_rows)
    snapshot = take_snapshot(small)
    grow(small)
    clicks, expected = read_clicks(small, snapshot), twin.as_clicks()
    np.testing.assert_equal(vars(clicks), vars(expected))


def test_totals_equal_brute_force(twin):
    """Clicks and distinct neighbours of every row, 0 for those without any."""
    total, degree = twin.as_clicks().per_item()
    for item in range(30):
        counts = [n for (_, i), n in twin.clicks.items() if i == item]
        assert (total[item], degree[item]) == (sum(counts), len(counts))
    total, degree = twin.as_clicks().per_query()
    for query in range(60):
        counts = [n for (q, _), n in twin.clicks.items() if q == query]
        assert (total[query], degree[query]) == (sum(counts), len(counts))


@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_queries_with_clicks_come_once(twin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int):
    """Each once and ascending, also where the pairs of one fall into two pieces; in a file as in memory."""
    monkeypatch.setattr(scratch, "ROWS", rows)
    expected = sorted({query for query, _ in twin.clicks})
    for clicks in (twin.as_clicks(), replace(twin.as_clicks(), scratch=Scratch(tmp_path))):
        assert clicks.queries.tolist() == expected
    assert twin.as_clicks().of_queries(np.zeros(60, bool)).queries.tolist() == []


def test_pairs_of_some_queries(twin):
    """Only pairs of the kept queries stay, and rows keep their meaning."""
    keep = np.arange(60) % 2 == 0
    kept = twin.as_clicks().of_queries(keep)
    assert list(zip(kept.query, kept.item, strict=True)) == [pair for pair in sorted(twin.clicks) if pair[0] % 2 == 0]
    assert (kept.n_queries, kept.n_items) == (60, 30)
