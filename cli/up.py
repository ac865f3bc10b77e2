"""``recsys up``: the managed servers of the workspace run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from recsys.cli.options import json_option, settings
from recsys.cli.output import note, print_fields, print_json

if TYPE_CHECKING:
    from recsys.core.settings import Settings

_UNSHOWN = ("managed", "started")


@click.command()
@click.option("--qdrant", "with_qdrant", is_flag=True, help="Start a managed Qdrant too, from a program on PATH.")
@json_option
def up(with_qdrant: bool, as_json: bool) -> None:
    """Start the managed Neo4j and say where it is; does nothing when it runs already.

    With --qdrant a Qdrant server is managed as well, from the program qdrant.binary, and used from then on.
    """
    shown = _neo4j(settings())
    if with_qdrant:
        shown["qdrant"] = _qdrant()
    if as_json:
        print_json(shown)
        return
    qdrant = shown.pop("qdrant", {})
    print_fields({name: value for name, value in shown.items() if name not in _UNSHOWN})
    if qdrant:
        print_fields({f"qdrant {name}": value for name, value in qdrant.items() if name not in _UNSHOWN})


def _neo4j(chosen: Settings) -> dict[str, Any]:
    from recsys.graph.server import running, server_home, start

    if chosen.neo4j.uri:
        note(f"neo4j.uri is set to {chosen.neo4j.uri}, so no Neo4j is managed here; `recsys doctor` checks it.")
        return {"managed": False, "uri": chosen.neo4j.uri, "user": chosen.neo4j.user}
    started = running(chosen.workspace) is None
    note("Starting Neo4j ..." if started else "Neo4j runs already.")
    server = start(chosen.workspace, chosen.neo4j)
    home = server_home(chosen.workspace)
    return {
        "managed": True,
        "started": started,
        "uri": server.uri,
        "user": server.user,
        "password_file": home.password_path,
        "pid": server.pid,
        "log": home.log_path,
    }


def _qdrant() -> dict[str, Any]:
    from recsys.core.config import load_config
    from recsys.serving.server import running, start
    from recsys.serving.server_home import qdrant_home

    chosen = load_config().settings  # without the address of the managed server
    if chosen.qdrant.url:
        note(f"qdrant.url is set to {chosen.qdrant.url}, so no Qdrant is managed here; `recsys doctor` checks it.")
        return {"managed": False, "url": chosen.qdrant.url}
    started = running(chosen.workspace) is None
    note("Starting Qdrant ..." if started else "Qdrant runs already.")
    server = start(chosen.workspace, chosen.qdrant)
    home = qdrant_home(chosen.workspace)
    return {
        "managed": True,
        "started": started,
        "url": server.url,
        "api_key_file": home.config_path,
        "pid": server.pid,
        "log": home.log_path,
    }
