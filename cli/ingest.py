"""``recsys ingest``: click logs, item tables and link tables into the graph."""

from __future__ import annotations

import click

from recsys.cli.ingest_clicks import clicks
from recsys.cli.ingest_items import items
from recsys.cli.ingest_links import links
from recsys.cli.ingest_rejects import rejects
from recsys.cli.ingest_relations import relations
from recsys.cli.ingest_walk import walk


@click.group()
def ingest() -> None:
    """Bring clicks, items or links into the graph.

    PATHS are files, folders or quoted globs of CSV, JSON Lines and Parquet, compressed ones too, here or at an address
    that Hadoop reads, such as s3a:// and hdfs://. Rows that cannot be used are set aside with the reason; the same rows
    are never added twice, so a command may always be run again.
    """


for command in (clicks, items, links, rejects, relations, walk):
    ingest.add_command(command)
