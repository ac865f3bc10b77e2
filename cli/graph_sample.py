"""``recsys graph sample``: what the sampler would draw for a query."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from recsys.cli.options import json_option, settings
from recsys.cli.output import note, print_json, print_line
from recsys.core.errors import UsageError

if TYPE_CHECKING:
    from recsys.model.preview import Drawn, Node


@click.command()
@click.argument("id_", required=False, metavar="[ID]")
@click.option("--text", help="Text of a query, instead of an ID.")
@click.option("-n", "draws", default=5, show_default=True, type=click.IntRange(min=1), help="Draws.")
@click.option("--seed", type=click.IntRange(min=0), help="Of the draws.")
@json_option
def sample(id_: str | None, text: str | None, draws: int, seed: int | None, as_json: bool) -> None:
    """Show what training would draw for a query.

    ID is that of a query. A draw is a clicked item, another query of that item, and one anchor per relation and side.
    """
    if (id_ is None) == (text is None):
        raise UsageError("give either an ID or --text TEXT, such as `recsys graph sample --text 'red shoes'`")
    from recsys.cli.clients import connect_graph
    from recsys.model.preview import preview

    chosen = settings(train={"seed": seed})
    with connect_graph(chosen) as opened:
        found = preview(opened, chosen.train, id_=id_, text=text, n=draws)
    if found.held_out:
        note("this query is held out: training does not see it")
    if as_json:
        print_json(asdict(found))
        return
    print_line(_line(found.query))
    for number, drawn in enumerate(found.draws, 1):
        for line in _lines(number, drawn):
            print_line(line)


def _lines(number: int, drawn: Drawn) -> list[str]:
    lines = [f"{number}. item {_line(drawn.item)}"]
    if drawn.neighbour:
        lines.append(f"   query of the same item {_line(drawn.neighbour)}")
    return lines + [f"   {anchor.side} → {anchor.relation} {_line(anchor.node)}" for anchor in drawn.anchors]


def _line(node: Node) -> str:
    return f"{node.id}  {' '.join(node.text.split())}"
