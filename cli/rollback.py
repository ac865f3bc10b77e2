"""``recsys rollback``: what was live before becomes live again."""

from __future__ import annotations

from dataclasses import asdict

import click

from recsys.cli.options import json_option, settings
from recsys.cli.output import print_json, print_line


@click.command()
@click.option("--alias", help="Alias to move back, instead of qdrant.alias.")
@json_option
def rollback(alias: str | None, as_json: bool) -> None:
    """Point the alias back at the collection that was live before this one."""
    from recsys.serving.alias import roll_back
    from recsys.serving.client import connect

    chosen = settings(qdrant={"alias": alias})
    with connect(chosen.qdrant, chosen.workspace) as client:
        done = roll_back(client, chosen.qdrant.alias)
    if as_json:
        print_json(asdict(done))
        return
    print_line(f"the alias {done.alias} points at {done.collection} again, no longer at {done.left}")
    print_line(f"`recsys publish {done.left}` goes forward again")
