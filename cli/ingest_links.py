"""``recsys ingest links``: link tables into the graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from recsys.cli.ingest_job import find_sources, open_hadoop, run_ingest
from recsys.cli.ingest_options import column, table_options
from recsys.cli.options import settings

if TYPE_CHECKING:
    from recsys.ingest.layout import Layout


@click.command()
@column("source", "the id of a query, an item or another node")
@column("relation", "the relation's name")
@column("target", "the id of the node that it leads to")
@click.option("--relation-name", metavar="NAME", help="The relation of all rows, for files without such a column.")
@click.option("--nodes", metavar="PATH", multiple=True, help="Table with node_id and title: texts of the nodes.")
@table_options
def links(
    paths: tuple[str, ...],
    nodes: tuple[str, ...],
    relation_name: str | None,
    layout: Layout,
    max_rejects: str | None,
    dry_run: bool,
    master: str | None,
    as_json: bool,
    **named: str | None,
) -> None:
    """Add the links at PATHS to the graph, from queries and items to categories, tags, pages and the like."""
    from recsys.ingest.clean import LINKS, NODES
    from recsys.ingest.layout import Layout
    from recsys.ingest.links import load_links

    chosen = settings(spark={"master": master}, ingest={"max_rejects": max_rejects})
    with open_hadoop((*paths, *nodes), chosen) as hadoop:
        sources = find_sources(paths, LINKS, named, layout, hadoop, relation_name)
        texts = find_sources(nodes, NODES, {}, Layout(), hadoop) if nodes else []
        run_ingest(lambda job: load_links(job, sources, texts), chosen, dry_run=dry_run, as_json=as_json)
