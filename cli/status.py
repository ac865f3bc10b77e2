"""``recsys status``: what runs, what the graph holds, which runs there are and which one is live."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from recsys.cli.options import json_option, settings
from recsys.cli.output import print_fields, print_json
from recsys.core.errors import RecsysError

if TYPE_CHECKING:
    from recsys.core.settings import Settings


@click.command()
@json_option
def status(as_json: bool) -> None:
    """Say what is running and what the graph holds; starts nothing and changes nothing."""
    from recsys.core.run import list_runs

    chosen = settings()
    shown = {
        "workspace": chosen.workspace,
        "neo4j": _neo4j(chosen),
        "graph": _graph(chosen),
        "runs": [run.name for run in list_runs(chosen.workspace / "runs")],
        "qdrant": _qdrant(chosen),
    }
    print_json(shown) if as_json else print_fields(_phrases(shown))


def _neo4j(chosen: Settings) -> dict[str, Any]:
    import psutil

    from recsys.graph.server import running

    if chosen.neo4j.uri:
        return {"managed": False, "uri": chosen.neo4j.uri, "user": chosen.neo4j.user}
    server = running(chosen.workspace)
    if server is None:
        return {"managed": True, "running": False}
    memory = psutil.Process(server.pid).memory_info().rss >> 20
    facts = {"uri": server.uri, "user": server.user, "pid": server.pid, "memory_mib": memory}
    return {"managed": True, "running": True, **facts}


def _graph(chosen: Settings) -> dict[str, Any] | None:
    from recsys.cli.clients import connect_if_running
    from recsys.graph.counts import count_graph

    try:
        graph = connect_if_running(chosen)
        if graph is None:
            return None
        with graph:
            return asdict(count_graph(graph))
    except RecsysError as error:
        return {"problem": str(error)}


def _qdrant(chosen: Settings) -> dict[str, Any]:
    from recsys.serving.alias import live_collection
    from recsys.serving.client import connect
    from recsys.serving.embedded import embedded_directory

    directory = embedded_directory(chosen.qdrant, chosen.workspace)
    facts: dict[str, Any] = {"alias": chosen.qdrant.alias, "embedded": directory is not None}
    facts["place"] = directory or chosen.qdrant.url
    if directory is not None and not directory.exists():
        return {**facts, "live": None}
    try:
        with connect(chosen.qdrant, chosen.workspace, patience=0) as client:
            return {**facts, "live": live_collection(client, chosen.qdrant.alias)}
    except RecsysError as error:
        return {**facts, "problem": str(error)}


def _phrases(shown: dict[str, Any]) -> dict[str, str]:
    return {
        "workspace": str(shown["workspace"]),
        "neo4j": _neo4j_phrase(shown["neo4j"]),
        "graph": _graph_phrase(shown["graph"]),
        "runs": ", ".join(shown["runs"]) or "none; `recsys train` makes one",
        "qdrant": _qdrant_phrase(shown["qdrant"]),
    }


def _neo4j_phrase(facts: dict[str, Any]) -> str:
    if not facts["managed"]:
        return f"{facts['uri']} (neo4j.uri), user {facts['user']}"
    if not facts["running"]:
        return "not running; `recsys up` starts it"
    return f"{facts['uri']}, user {facts['user']}, pid {facts['pid']}, {facts['memory_mib']:,} MiB"


def _graph_phrase(facts: dict[str, Any] | None) -> str:
    if facts is None:
        return "not read, as Neo4j does not run"
    if "problem" in facts:
        return str(facts["problem"])
    kinds = ("queries", "items", "anchors", "clicked_pairs")
    nodes = ", ".join(f"{facts[kind]:,} {kind.replace('_', ' ')}" for kind in kinds)
    relations = ", ".join(f"{count:,} {name}" for name, count in facts["relations"].items())
    return f"{nodes}; relations: {relations or 'none'}"


def _qdrant_phrase(facts: dict[str, Any]) -> str:
    if "problem" in facts:
        return str(facts["problem"])
    live = f"alias {facts['alias']} → {facts['live']}" if facts["live"] else "nothing published; `recsys publish` does"
    return f"{'embedded in ' if facts['embedded'] else ''}{facts['place']}, {live}"
