"""``recsys ingest relations``: what is derived from the clicks in the graph."""

from __future__ import annotations

import click

from recsys.cli.options import json_option, settings
from recsys.cli.output import note, print_json, print_line


@click.command()
@json_option
def relations(as_json: bool) -> None:
    """Derive CO_CLICKED, items that share queries and sessions, from the clicks in the graph.

    Run it again after new clicks: the edges are computed anew and take the place of the earlier ones.
    """
    from dataclasses import asdict

    from recsys.cli.clients import open_graph
    from recsys.ingest.relations import derive_co_clicked

    chosen = settings()
    with open_graph(chosen) as graph:
        derived = derive_co_clicked(graph, chosen.ingest.chunk_rows, note)
    if as_json:
        print_json(asdict(derived))
        return
    print_line(f"{derived.relation}: {derived.edges:,} edges from {derived.items:,} items, {derived.removed:,} removed")
    print_line(f"took {derived.seconds:.1f} s")
