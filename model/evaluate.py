"""Measures a finished run on held-out clicks, beside baselines that see the same training clicks.

Shape letters: B queries, D embedding width, K ranks, L items.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from recsys.core.errors import DataError
from recsys.core.run import Run, Table
from recsys.graph.client import Graph
from recsys.graph.schema import Label
from recsys.model.baselines import rank_by_popularity, rank_by_titles, rank_by_training_queries
from recsys.model.clicks import read_clicks
from recsys.model.marks import in_slices
from recsys.model.metrics import CUTOFFS, RECALL_CUTOFFS, Floats, Gold, Rows, evaluate_ranking, propensities
from recsys.model.search import ONE_SEARCH, WITH_VOTES, rank_run
from recsys.model.snapshot import Snapshot
from recsys.model.task import Task

SYSTEMS = ("recsys", "recsys_votes", "popularity", "bm25", "bm25_queries")
"""recsys is one search, as any backend can do it; recsys_votes, of runs that chose votes, is what `recsys recommend`
does."""
SLICE_FIGURES = ("P@1", "R@10", "R@100")


class GraphChangedError(DataError):
    """The graph does not hold the nodes that the run was trained on."""

    def __init__(self, run: str, label: str) -> None:
        self.run = run
        self.label = label
        super().__init__(
            f"the graph does not hold the {label.lower()} nodes that run {run!r} was trained on; use the workspace or "
            "neo4j.uri of that training, or run `recsys train` on this graph"
        )


def evaluate_run(run: Run, items: Table, graph: Graph, task: Task, *, ks: Sequence[int] = CUTOFFS) -> dict[str, Any]:
    """Rank the run's items for every query of the task, by the run and by each baseline, and measure the rankings.

    Args:
        run: What to measure.
        items: Its items.
        graph: The graph that it was trained on; training clicks are read from it up to the run's last rows.
        task: What to measure on.
        ks: Cut-offs of P, nDCG and PSP.

    Returns:
        Each of :data:`SYSTEMS`, ``recsys_votes`` only where the run chose votes, with its metrics in percent and, under
        ``slices``, ``pairs`` and :data:`SLICE_FIGURES` with the gold cut down to the items of one slice.

    Raises:
        GraphChangedError: The graph is not the one that the run was trained on.
    """
    queries = run.queries()
    _check_rows(graph, run, "Query", queries)
    _check_rows(graph, run, "Item", items)
    rows: dict[str, int] = {"Query": len(queries.ids), "Item": len(items.ids)}
    clicks = read_clicks(graph, Snapshot(rows, (), 0, ()))
    k = max(*ks, *RECALL_CUTOFFS)
    ranked = rank_run(run, items, queries, task.texts, task.excluded, k)
    rank: dict[str, Callable[[], Rows]] = {
        "recsys": lambda: ranked[ONE_SEARCH],
        "recsys_votes": lambda: ranked[WITH_VOTES],
        "popularity": lambda: rank_by_popularity(items.degree, len(task.texts), k, task.excluded),
        "bm25": lambda: rank_by_titles(items.texts, task.texts, k, task.excluded),
        "bm25_queries": lambda: rank_by_training_queries(queries.texts, clicks, task.texts, k, task.excluded),
    }
    systems = [name for name in SYSTEMS if name != "recsys_votes" or WITH_VOTES in ranked]
    # Items that the run does not know have rows past its own and were clicked by nobody.
    degree = np.concatenate([items.degree, np.zeros(task.unknown_items, np.int64)])
    propensity_L = propensities(degree, int((queries.degree > 0).sum()))
    return {name: _measure(rank[name](), task.gold, degree, propensity_L, ks) for name in systems}


def _measure(
    ranked_BK: Rows, gold: Gold, degree_L: Rows, propensity_L: Floats, ks: Sequence[int]
) -> dict[str, float | dict[str, dict[str, float]]]:
    inside = in_slices(degree_L[gold.indices])
    slices = {name: _measure_slice(ranked_BK, gold.restrict(inside_G)) for name, inside_G in inside.items()}
    return {**evaluate_ranking(ranked_BK, gold, propensity_L=propensity_L, ks=ks), "slices": slices}


def _measure_slice(ranked_BK: Rows, gold: Gold) -> dict[str, float]:
    figures = evaluate_ranking(ranked_BK, gold, ks=(1,))
    return {"pairs": len(gold.indices), **{name: figures[name] for name in SLICE_FIGURES}}


def _check_rows(graph: Graph, run: Run, label: Label, table: Table) -> None:
    ends = sorted({0, len(table.ids) - 1})
    found = graph.read(f"MATCH (n:{label}) WHERE n.row IN $rows RETURN n.row AS row, n.id AS id", rows=ends)
    if {record["row"]: record["id"] for record in found} != {row: table.ids[row] for row in ends}:
        raise GraphChangedError(run.name, label)
