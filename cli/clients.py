"""Opens the graph for commands: the one that the settings name, or the managed one, started if need be."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from recsys.cli.output import note
from recsys.core.errors import UsageError
from recsys.core.retry import PATIENCE_SECONDS
from recsys.core.settings import Neo4jSettings, Settings

if TYPE_CHECKING:
    from recsys.graph.client import Graph
    from recsys.graph.server import Server

_TOLD_RETRY = 3
"Deadlocks and short gaps are over by then."


class PasswordMissingError(UsageError):
    """An address is set and no password for it."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        super().__init__(
            f"neo4j.uri is {uri} but neo4j.password is not set; set RECSYS_NEO4J__PASSWORD, or unset neo4j.uri to use "
            "the managed server"
        )


def open_graph(settings: Settings) -> Graph:
    """Return the graph with our schema; use it as a context manager.

    Without ``neo4j.uri`` the managed server of the workspace is used, and started, with a note, where it does not run.

    Raises:
        PasswordMissingError: ``neo4j.uri`` is set and ``neo4j.password`` is not.
        ServiceError: The server does not answer, refuses us, is too old or does not start.
        SetupError: What the managed server needs is missing.
        SchemaConflictError: The database holds something that our constraints cannot live with.
    """
    from recsys.graph.schema import ensure_schema  # the driver is slow to import

    graph = connect_graph(settings)
    try:
        ensure_schema(graph)
    except BaseException:
        graph.close()
        raise
    return graph


def connect_graph(settings: Settings) -> Graph:
    """Return the graph as it is for commands that only read; otherwise like :func:`open_graph`."""
    from recsys.graph.server import running, start

    _speak_plainly_of_retries()
    if settings.neo4j.uri:
        return _connect_remote(settings.neo4j.uri, settings.neo4j)
    if running(settings.workspace) is None:
        note(f"Starting a Neo4j for the workspace {settings.workspace}; it runs until `recsys down`.")
    return _connect_managed(start(settings.workspace, settings.neo4j), settings.neo4j)


def connect_if_running(settings: Settings) -> Graph | None:
    """Connect to the graph and change nothing there; None where it is managed and does not run.

    Raises:
        PasswordMissingError: ``neo4j.uri`` is set and ``neo4j.password`` is not.
        ServiceError: The server does not answer, refuses us or is too old.
    """
    from recsys.graph.server import running

    if settings.neo4j.uri:
        return _connect_remote(settings.neo4j.uri, settings.neo4j)
    server = running(settings.workspace)
    return _connect_managed(server, settings.neo4j) if server else None


def _speak_plainly_of_retries() -> None:
    """Put one line on stderr where retrying takes long, in place of what the libraries log at every try."""
    from stamina.instrumentation import RetryDetails, set_on_retry_hooks

    def tell(details: RetryDetails) -> None:
        if details.retry_num == _TOLD_RETRY:
            reason = " ".join(str(details.caused_by).split())[:200]
            note(f"Neo4j does not do its part ({reason}); trying for up to {PATIENCE_SECONDS:.0f} s.")

    logging.getLogger("neo4j").setLevel(logging.CRITICAL)
    set_on_retry_hooks([tell])


def _connect_remote(uri: str, settings: Neo4jSettings) -> Graph:
    from recsys.graph.client import Graph

    if settings.password is None:
        raise PasswordMissingError(uri)
    return Graph(uri, settings.user, settings.password.get_secret_value(), settings.database)


def _connect_managed(server: Server, settings: Neo4jSettings) -> Graph:
    from recsys.graph.client import Graph

    return Graph(server.uri, server.user, server.password, settings.database)
