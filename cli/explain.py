"""``recsys explain``: why an item is recommended for a query."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from recsys.cli.options import json_option, settings
from recsys.cli.output import print_fields, print_json, print_line, print_table

if TYPE_CHECKING:
    from recsys.serving.explanation import Explanation


@click.command()
@click.argument("query")
@click.argument("item")
@click.option("--by-id", is_flag=True, help="QUERY is the id of a training query, not a text.")
@click.option("-n", "shown", default=5, show_default=True, type=click.IntRange(min=1), help="Reasons of a kind.")
@click.option("--graph/--no-graph", default=True, show_default=True, help="Look for paths in the graph.")
@click.option("--alias", help="Alias to search, instead of qdrant.alias.")
@json_option
def explain(query: str, item: str, by_id: bool, shown: int, graph: bool, alias: str | None, as_json: bool) -> None:
    """Say why ITEM, an item id, gets its score for QUERY: each part of it, and the paths between the two.

    Shares add up to the score of `recsys recommend`. Reasons without one are paths that are no part of the sum.
    """
    from recsys.cli.clients import connect_graph
    from recsys.serving.client import connect
    from recsys.serving.explain import explain as find_reasons
    from recsys.serving.recommend import Recommender

    chosen = settings(qdrant={"alias": alias})
    with connect(chosen.qdrant, chosen.workspace) as client:
        recommender = Recommender(client, chosen.qdrant.alias, chosen.workspace / "runs")
        with connect_graph(chosen) if graph else nullcontext() as opened:
            found = find_reasons(recommender, opened, query, item, by_id=by_id, shown=shown)
    print_json(asdict(found)) if as_json else _tell(found)


def _tell(found: Explanation) -> None:
    known = "unknown to the run" if found.query_id is None else f"training query {found.query_id}"
    score = "none" if found.score is None else f"{found.score:.4f}"
    print_fields({"query": f"{found.query} ({known})", "item": f"{found.item}  {found.title}", "score": score})
    print_line(found.says)
    if found.reasons:
        print_line()
        rows = [{"share": "" if r.share is None else f"{r.share:+.4f}", "why": r.says} for r in found.reasons]
        print_table(rows, ["share", "why"])
