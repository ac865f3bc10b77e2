"""``recsys down``: the managed Neo4j of the workspace ends."""

from __future__ import annotations

import click

from recsys.cli.options import json_option, settings
from recsys.cli.output import print_json, print_line


@click.command()
@json_option
def down(as_json: bool) -> None:
    """Stop the managed Neo4j; what it holds stays in the workspace."""
    from recsys.graph.server import stop

    workspace = settings().workspace
    stopped = stop(workspace)
    if as_json:
        print_json({"stopped": stopped})
    else:
        print_line("Neo4j stopped" if stopped else f"no managed Neo4j runs for {workspace}")
