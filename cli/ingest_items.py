"""``recsys ingest items``: item tables into the graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from recsys.cli.ingest_job import find_sources, open_hadoop, run_ingest
from recsys.cli.ingest_options import column, table_options
from recsys.cli.options import settings

if TYPE_CHECKING:
    from recsys.ingest.layout import Layout


@click.command()
@column("item_id", "the item's id")
@column("item_title", "the item's title")
@table_options
def items(
    paths: tuple[str, ...],
    layout: Layout,
    max_rejects: str | None,
    dry_run: bool,
    master: str | None,
    as_json: bool,
    **named: str | None,
) -> None:
    """Add the items at PATHS to the graph; every further column becomes a property."""
    from recsys.ingest.clean import ITEMS
    from recsys.ingest.items import load_items

    chosen = settings(spark={"master": master}, ingest={"max_rejects": max_rejects})
    with open_hadoop(paths, chosen) as hadoop:
        sources = find_sources(paths, ITEMS, named, layout, hadoop)
        run_ingest(lambda job: load_items(job, sources), chosen, dry_run=dry_run, as_json=as_json)
