"""``recsys up``: the managed Neo4j of the workspace runs."""

from __future__ import annotations

import click

from recsys.cli.options import json_option, settings
from recsys.cli.output import note, print_fields, print_json


@click.command()
@json_option
def up(as_json: bool) -> None:
    """Start the managed Neo4j and say where it is; does nothing when it runs already."""
    from recsys.graph.server import running, server_home, start

    chosen = settings()
    if chosen.neo4j.uri:
        note(f"neo4j.uri is set to {chosen.neo4j.uri}, so no Neo4j is managed here; `recsys doctor` checks it.")
        shown: dict[str, object] = {"managed": False, "uri": chosen.neo4j.uri, "user": chosen.neo4j.user}
    else:
        started = running(chosen.workspace) is None
        note("Starting Neo4j ..." if started else "Neo4j runs already.")
        server = start(chosen.workspace, chosen.neo4j)
        home = server_home(chosen.workspace)
        shown = {
            "managed": True,
            "started": started,
            "uri": server.uri,
            "user": server.user,
            "password_file": home.password_path,
            "pid": server.pid,
            "log": home.log_path,
        }
    if as_json:
        print_json(shown)
    else:
        print_fields({name: value for name, value in shown.items() if name not in ("managed", "started")})
