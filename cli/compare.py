"""``recsys compare``: systems trained and measured side by side."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from recsys.cli.held_out import click_log, filtered_pairs
from recsys.cli.options import json_option, settings
from recsys.cli.output import note, print_json, print_line, print_table
from recsys.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from recsys.model.compare import Comparison, Row
    from recsys.model.systems import System


@click.command()
@click.option("--clicks", required=True, metavar="PATH", help="Test click log: a file, folder or quoted glob.")
@click.option("--filter", "filter_", metavar="PATH", help="Pairs (query_id, item_id) left out of gold and predictions.")
@click.option(
    "--validation", metavar="PATH", help="Click log that trainings choose by, instead of a share of the queries."
)
@click.option("--only", "only", multiple=True, metavar="SYSTEM", help="Compare these systems alone; repeatable.")
@click.option("--seeds", type=click.IntRange(min=1), default=1, show_default=True, help="Trainings of each system.")
@click.option("--epochs", type=int, help="Passes over the training queries.")
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Draw to this file, such as compare.svg.")
@click.option("--query-text", metavar="COLUMN", help="Column with the query's text; found by usual names unless set.")
@click.option("--query-id", metavar="COLUMN", help="Column with the query's id; made from the text unless there.")
@click.option("--item-id", metavar="COLUMN", help="Column with the clicked item's id; found by usual names unless set.")
@json_option
def compare(
    clicks: str,
    filter_: str | None,
    validation: str | None,
    only: tuple[str, ...],
    seeds: int,
    epochs: int | None,
    plot: Path | None,
    as_json: bool,
    **named: str | None,
) -> None:
    """Train and measure systems side by side, and say whether the graph paid.

    The same graph, test log and seeds for all: popularity, BM25, item-kNN, the encoder untrained, without graph, as the
    RAMEN paper has it and by default, GraphSAGE and LightGCN. What is finished is not done again after an interruption.
    """
    from recsys.cli.clients import open_graph

    chosen = settings(train={"epochs": epochs})
    log = click_log(clicks, named)
    pairs = filtered_pairs(filter_)
    chooses_by = click_log(validation) if validation else None
    note("loading the training libraries")
    from recsys.model.arena import Arena
    from recsys.model.compare import check_extras
    from recsys.model.compare import compare as run_comparison
    from recsys.model.verdict import verdict

    systems = _systems(only)
    check_extras(systems)
    first = chosen.train.seed
    with open_graph(chosen) as graph, tempfile.TemporaryDirectory() as directory:
        arena = Arena(graph, chosen.train, Path(directory), log, pairs, chooses_by)
        found = run_comparison(arena, systems, range(first, first + seeds), chosen.workspace)
    if plot:
        _draw(found, plot)
    _show(found, verdict(found, first), as_json=as_json)


def _systems(only: Sequence[str]) -> list[System]:
    from recsys.model.systems import SYSTEMS

    known = [system.name for system in SYSTEMS]
    unknown = [name for name in only if name not in known]
    if unknown:
        raise UsageError(f"there is no system {unknown[0]!r}; --only takes {', '.join(known)}")
    return [system for system in SYSTEMS if not only or system.name in only]


def _draw(found: Comparison, path: Path) -> None:
    from recsys.model.compare_plot import draw

    draw(found, path)
    note(f"drawn to {path}")


def _show(found: Comparison, words: Sequence[str], *, as_json: bool) -> None:
    if as_json:
        rows = {row.name: _facts(row) for row in found.rows}
        print_json({"queries": found.queries, "seeds": list(found.seeds), "systems": rows, "verdict": words})
        return
    print_line(f"{found.queries:,} test queries, {len(found.seeds)} seed{'s' * (len(found.seeds) > 1)}, in percent")
    table = [{"system": row.name, **row.figures, **_costs(row)} for row in found.rows]
    print_table(table, list(table[0]))
    print_line()
    slices = [{"system": row.name, **_slices(row)} for row in found.rows]
    print_line("R@10 by how many training queries clicked the item")
    print_table(slices, list(slices[0]))
    print_line()
    for system, reason in found.left_out.items():
        print_line(f"{system} took no part: {reason}")
    for line in words:
        print_line(line)


def _facts(row: Row) -> dict[str, Any]:
    return {"says": row.says, **row.figures, "slices": _slices(row), "by_seed": dict(row.by_seed), **_costs(row)}


def _costs(row: Row) -> dict[str, float]:
    return {
        "training s": round(row.seconds, 1),
        "peak MiB": round(row.peak / 2**20),
        "ms per query": round(row.query_ms, 2),
    }


def _slices(row: Row) -> dict[str, float]:
    return {name: 100 * float(values.mean()) for name, values in row.slices.items() if len(values)}
