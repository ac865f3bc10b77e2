"""``recsys ingest walk``: denser relations by random walks."""

from __future__ import annotations

from dataclasses import asdict

import click

from recsys.cli.options import json_option, settings
from recsys.cli.output import note, print_json, print_table

COLUMNS = ("relation", "source", "nodes", "hubs", "raw_edges", "edges", "removed", "seconds")


@click.command()
@click.option("--relation", "relations", metavar="NAME", multiple=True, help="Walk on this relation only; repeatable.")
@click.option("--seed", type=click.IntRange(min=0), help="Of the walks; train.seed unless given.")
@click.option("--dry-run", is_flag=True, help="Read and count, write nothing.")
@json_option
def walk(relations: tuple[str, ...], seed: int | None, dry_run: bool, as_json: bool) -> None:
    """Derive <RELATION>_WALKED: the anchors that random walks from each query and item visit most.

    Walks go over one relation between queries or items and anchors, there and back. Run it again after new links: the
    edges are computed anew and take the place of the earlier ones.
    """
    from recsys.cli.clients import open_graph
    from recsys.model.walk_graph import walk_relation, walkable

    chosen = settings(train={"seed": seed})
    how = {"seed": chosen.train.seed, "chunk_rows": chosen.ingest.chunk_rows}
    with open_graph(chosen) as graph:
        rows = [
            asdict(walk_relation(graph, relation, **how, dry_run=dry_run, say=note))
            for relation in walkable(graph, relations)
        ]
    if as_json:
        print_json(rows)
        return
    print_table(rows, COLUMNS)
