"""``recsys evaluate``: a run on held-out clicks, beside popularity and BM25."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from recsys.cli.held_out import click_log, filtered_pairs
from recsys.cli.options import json_option, settings
from recsys.cli.output import print_json, print_line, print_table

if TYPE_CHECKING:
    from recsys.core.run import Run, Table
    from recsys.model.task import Task


@click.command()
@click.option("--clicks", required=True, metavar="PATH", help="Held-out click log: a file, folder or quoted glob.")
@click.option("--filter", "filter_", metavar="PATH", help="Pairs (query_id, item_id) left out of gold and predictions.")
@click.option("-k", "ks", multiple=True, type=click.IntRange(min=1), help="Cut-off of P, nDCG and PSP; repeatable.")
@click.option("--run", "name", metavar="RUN", help="Run to measure; the newest unless set.")
@click.option("--query-text", metavar="COLUMN", help="Column with the query's text; found by usual names unless set.")
@click.option("--query-id", metavar="COLUMN", help="Column with the query's id; made from the text unless there.")
@click.option("--item-id", metavar="COLUMN", help="Column with the clicked item's id; found by usual names unless set.")
@json_option
def evaluate(
    clicks: str, filter_: str | None, ks: tuple[int, ...], name: str | None, as_json: bool, **named: str | None
) -> None:
    """Measure a run on held-out clicks, beside popularity, BM25 of titles and BM25 of training queries.

    Cut-offs are 1, 3 and 5 unless -k is given; recall is at 10 and 100. All figures are percentages.
    """
    from recsys.cli.clients import open_graph
    from recsys.core.run import find_run
    from recsys.model.evaluate import evaluate_run
    from recsys.model.metrics import CUTOFFS

    chosen = settings()
    run = find_run(chosen.workspace / "runs", name)
    items = run.items()
    task = _task(clicks, filter_, named, items)
    with open_graph(chosen) as graph:
        figures = evaluate_run(run, items, graph, task, ks=sorted(set(ks)) or CUTOFFS)
    show_figures(figures, run, task, as_json=as_json)


def show_figures(figures: Mapping[str, Any], run: Run, task: Task, *, as_json: bool) -> None:
    """Print the figures as JSON, or as one table of systems and one of slices."""
    facts = {
        "queries": len(task.texts),
        "pairs": len(task.gold.indices),
        "dropped": task.dropped,
        "unknown_items": task.unknown_items,
        "unknown_pairs": task.unknown_pairs,
        "run": run.name,
    }
    if as_json:
        print_json({**figures, **facts})
        return
    print_line(f"run {run.name} on {facts['queries']:,} queries and {facts['pairs']:,} clicked pairs, in percent")
    columns = [name for name in figures["recsys"] if name != "slices"]
    print_table([{"system": system, **row} for system, row in figures.items()], ["system", *columns])
    print_line()
    _print_slices(figures)
    if task.dropped:
        print_line(f"\nqueries left out, as the filter leaves nothing of their clicks: {task.dropped:,}")
    if task.unknown_items:
        print_line(
            f"\ngold items unknown to the run: {task.unknown_items:,}, in {task.unknown_pairs:,} pairs; "
            "they count as misses, under never"
        )


def _print_slices(figures: Mapping[str, Any]) -> None:
    from recsys.model.evaluate import SLICE_FIGURES
    from recsys.model.marks import SLICES

    rows = [
        {"items clicked by": _range(*SLICES[name]), "slice": name, "system": system, **row["slices"][name]}
        for name in SLICES
        for system, row in figures.items()
        if row["slices"][name]["pairs"]
    ]
    print_table(rows, ["slice", "items clicked by", "pairs", "system", *SLICE_FIGURES])


def _range(least: int, below: float) -> str:
    if below == float("inf"):
        return f"{least} or more training queries"
    return f"{least}" if below == least + 1 else f"{least} to {below - 1:.0f}"


def _task(clicks: str, filter_: str | None, named: Mapping[str, str | None], items: Table) -> Task:
    from recsys.model.task import build_task

    return build_task(click_log(clicks, named), items, filtered_pairs(filter_))
