"""``recsys down``: the managed servers of the workspace end."""

from __future__ import annotations

import click

from recsys.cli.options import json_option, settings
from recsys.cli.output import print_json, print_line


@click.command()
@json_option
def down(as_json: bool) -> None:
    """Stop the managed Neo4j, and the managed Qdrant; what they hold stays in the workspace."""
    from recsys.graph.server import stop
    from recsys.serving.server import stop as stop_qdrant

    workspace = settings().workspace
    stopped, qdrant = stop(workspace), stop_qdrant(workspace)
    if as_json:
        print_json({"stopped": stopped, "qdrant_stopped": qdrant})
        return
    print_line("Neo4j stopped" if stopped else f"no managed Neo4j runs for {workspace}")
    if qdrant:
        print_line("Qdrant stopped")
