"""Neo4j's offline importer: tables of CSV become a database that takes the place of the managed server's empty one.

The importer fills a home of its own beside the CSV. So a database is replaced whole or not at all, whatever breaks
off, and the server runs until the moment of the exchange.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import psutil

from recsys.core.errors import DataError, ServiceError
from recsys.core.java import find_java
from recsys.core.settings import Neo4jSettings
from recsys.graph.client import Graph
from recsys.graph.jars import ensure_jars
from recsys.graph.server import Server, replace_data, server_home
from recsys.graph.server_home import ServerHome

ARRAY_DELIMITER: Final = "\x1f"
"Between the values of a list; in no path or hash."

_MAIN_CLASS = "org.neo4j.cli.AdminTool"
_FOLDER_OPTION = "-Drecsys.import="
_TAIL_LINES = 12
_END_SECONDS = 5.0


class GraphNotEmptyError(DataError):
    """A bulk import replaces the whole database, and this one holds something."""

    def __init__(self, uri: str, nodes: int) -> None:
        self.uri = uri
        self.nodes = nodes
        super().__init__(
            f"a bulk import needs an empty graph, and the one at {uri} holds {nodes:,} nodes; nothing was changed. Run "
            "the same command with --no-bulk to add to it"
        )


class ImportFailedError(ServiceError):
    """Neo4j's importer ended with an error; the graph is as it was."""

    def __init__(self, code: int, log_path: Path, tail: str) -> None:
        self.code = code
        self.log_path = log_path
        super().__init__(
            f"Neo4j's importer ended with code {code}, and the graph is as it was; see {log_path}, make room on the "
            "disk or raise neo4j.heap and neo4j.page_cache, then run the same command again, or with --no-bulk. Its "
            f"last lines:\n{tail}"
        )


@dataclass(frozen=True)
class ImportTable:
    """Nodes of a label or relationships of a type, as CSV in the form that the importer reads.

    Attributes:
        name: Folder of its files ``part-*``; the header is beside it.
        what: Nodes or relationships.
        of: The label or type.
        header: The importer's column names, such as ``:ID(Query)`` and ``row:long``.
        multiline: Values may hold line breaks.
    """

    name: str
    what: Literal["nodes", "relationships"]
    of: str
    header: tuple[str, ...]
    multiline: bool = False

    @property
    def header_name(self) -> str:
        """File name of the header."""
        return f"{self.name}-header.csv"

    @property
    def parts(self) -> str:
        """The files, relative to the folder of the import, in the importer's pattern."""
        return f"{self.name}/part-.*"


def check_empty(graph: Graph) -> None:
    """Return where the graph holds nothing but unused row counters.

    Raises:
        GraphNotEmptyError: It holds more.
    """
    used = "MATCH (n) WHERE NOT coalesce(n:RowCounter AND n.next = 0, false) RETURN 1 AS one LIMIT 1"
    if graph.read(used):
        raise GraphNotEmptyError(graph.uri, graph.read("MATCH (n) RETURN count(n) AS nodes")[0]["nodes"])


def import_arguments(database: str, tables: Sequence[ImportTable]) -> list[str]:
    """Return the words behind ``neo4j-admin``, to be run in the folder of the tables."""
    words = ["database", "import", "full", database, "--overwrite-destination", "--id-type=integer"]
    words += [f"--array-delimiter=U+{ord(ARRAY_DELIMITER):04X}", "--bad-tolerance=0"]
    multiline = [table.parts for table in tables if table.multiline]
    if multiline:
        words += ["--multiline-fields-format=v2", f"--multiline-fields={','.join(multiline)}"]
    return words + [f"--{table.what}={table.of}={table.header_name},{table.parts}" for table in tables]


def import_managed(
    graph: Graph, workspace: Path, settings: Neo4jSettings, folder: Path, tables: Sequence[ImportTable]
) -> Server:
    """Import ``tables`` in place of the workspace's empty database and return its server, started again.

    Args:
        graph: The database as it is now.
        workspace: Whose server.
        settings: The importer has the heap and the page cache of the server.
        folder: Folder of the workspace that holds the tables.
        tables: What to import.

    Raises:
        ImportFailedError: The importer ended with an error.
        GraphNotEmptyError: Somebody wrote to the graph meanwhile; it was left alone.
        SetupError, ServiceError: As in :func:`recsys.graph.server.start`.
    """
    home = ServerHome(folder / "home")
    home.configure(settings, 0)
    _run(_command(settings, folder, tables), home, server_home(workspace).import_log_path)
    return replace_data(workspace, settings, home.path / "data", lambda: check_empty(graph))


def end_orphans(folder: Path) -> None:
    """End importers of ``folder`` whose parent was killed."""
    for process in psutil.process_iter(["cmdline"]):
        if f"{_FOLDER_OPTION}{folder}" in (process.info["cmdline"] or ()):
            with suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):  # one that nobody reaps never quite goes
                process.kill()
                process.wait(_END_SECONDS)


def _command(settings: Neo4jSettings, folder: Path, tables: Sequence[ImportTable]) -> list[str | Path]:
    java = find_java()
    jars = ensure_jars(java, settings.repository)
    command: list[str | Path] = [java.binary, f"-Xmx{settings.heap}", f"{_FOLDER_OPTION}{folder}", "-cp", f"{jars}/*"]
    memory = f"--max-off-heap-memory={settings.page_cache}"
    return [*command, _MAIN_CLASS, *import_arguments(settings.database, tables), memory]


def _run(command: Sequence[str | Path], home: ServerHome, log_path: Path) -> None:
    environment = {**os.environ, "NEO4J_HOME": str(home.path), "NEO4J_CONF": str(home.path / "conf")}
    with log_path.open("wb") as log:
        code = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=home.path.parent,
            env=environment,
            check=False,
        ).returncode
    if code:
        lines = log_path.read_text(encoding="utf-8", errors="replace").splitlines()
        raise ImportFailedError(code, log_path, "\n".join(lines[-_TAIL_LINES:]))
