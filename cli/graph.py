"""``recsys graph``: look at the graph and check it; nothing is written."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from recsys.cli.graph_sample import sample
from recsys.cli.options import json_option, settings
from recsys.cli.output import print_fields, print_json, print_line, print_table
from recsys.core.errors import UsageError

if TYPE_CHECKING:
    from recsys.graph.finding import Finding


@click.group()
def graph() -> None:
    """Look at the graph and check it; nothing is written."""


graph.add_command(sample)


@graph.command()
@json_option
def relations(as_json: bool) -> None:
    """List the relations with their degrees.

    Degrees are of the source nodes that have any edge; the share is of all nodes of their label.
    """
    from recsys.cli.clients import connect_graph
    from recsys.graph.degrees import relation_degrees

    with connect_graph(settings()) as opened:
        rows = [asdict(relation) for relation in relation_degrees(opened)]
    if as_json:
        print_json(rows)
        return
    shown = [{**row, "relation": row["name"], "share %": row["share"]} for row in rows]
    columns = ["relation", "source", "target", "origin", "edges", "median", "p99", "max", "reached", "share %"]
    print_table(shown, columns)


@graph.command()
@json_option
def stats(as_json: bool) -> None:
    """Count nodes, clicks and batches.

    Also says how the clicks are spread over the items.
    """
    from recsys.cli.clients import connect_graph
    from recsys.cli.graph_text import stats_fields
    from recsys.graph.stats import graph_stats

    with connect_graph(settings()) as opened:
        found = graph_stats(opened)
    print_json(asdict(found)) if as_json else print_fields(stats_fields(found))


@graph.command()
@click.argument("id_", required=False, metavar="[ID]")
@click.option("--text", help="Text of a query, instead of an ID.")
@click.option("-n", "shown", default=5, show_default=True, type=click.IntRange(min=1), help="Neighbours per relation.")
@json_option
def show(id_: str | None, text: str | None, shown: int, as_json: bool) -> None:
    """Show a node with its neighbours.

    ID is that of a query, an item or an anchor; what is several of them is shown as each.
    """
    if (id_ is None) == (text is None):
        raise UsageError("give either an ID or --text TEXT, such as `recsys graph show --text 'red shoes'`")
    from recsys.cli.clients import connect_graph
    from recsys.cli.graph_text import tree_lines
    from recsys.graph.neighbourhood import by_id, by_text

    with connect_graph(settings()) as opened:
        found = by_id(opened, id_, shown) if id_ is not None else by_text(opened, str(text), shown)
    if as_json:
        print_json([asdict(hood) for hood in found])
        return
    for hood in found:
        for line in tree_lines(hood):
            print_line(line)


@graph.command()
@json_option
def check(as_json: bool) -> None:
    """Check that the graph is whole.

    Ends with code 1 if anything fails. What an ingest has half written looks like damage, so run it when none does.
    """
    from recsys.cli.clients import connect_graph
    from recsys.graph.check import check_graph

    findings = []
    with connect_graph(settings()) as opened:
        for finding in check_graph(opened):
            findings.append(finding)
            if not as_json:
                print_line(_finding_line(finding))
    if as_json:
        print_json([asdict(finding) for finding in findings])
    sys.exit(not all(finding.ok for finding in findings))


def _finding_line(finding: Finding) -> str:
    note = f" ({finding.note})" if finding.note else ""
    if finding.ok:
        return f"ok    {finding.name}{note}"
    more = ", …" if finding.count > len(finding.examples) > 1 else ""
    examples = ", ".join(finding.examples) + more
    return f"fail  {finding.name}{note}: {finding.count:,} wrong: {examples} → {finding.advice}"
