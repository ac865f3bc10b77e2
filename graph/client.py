"""One connection to the graph: reads and writes that are retried, and errors that say what to do."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from types import TracebackType
from typing import Any, TypeVar

import neo4j
from neo4j.exceptions import ConfigurationError, DriverError, Neo4jError

from recsys.core.errors import ServiceError, came_of_interrupt
from recsys.core.retry import retry
from recsys.graph.neo4j_errors import GraphUnreachableError, explained, may_pass

T = TypeVar("T")

MINIMUM_VERSION = (5, 26)
"Relationship types as parameters, which keep a relation's name from ever being read as Cypher, came with 5.26."


class GraphTooOldError(ServiceError):
    """Neo4j answers but lacks what we need."""

    def __init__(self, uri: str, version: str) -> None:
        self.uri = uri
        self.version = version
        needed = ".".join(map(str, MINIMUM_VERSION))
        super().__init__(
            f"Neo4j at {uri} is version {version}; {needed} or later is needed. Upgrade it, or unset neo4j.uri to "
            "use the managed server, then `recsys doctor`"
        )


class Graph(AbstractContextManager["Graph"]):
    """A database of a Neo4j server; one per process.

    Args:
        uri: Bolt address.
        user: User name.
        password: Password.
        database: Database name.

    Raises:
        GraphUnreachableError: Nothing answers at ``uri``.
        GraphRefusedError: The credentials or the database name are refused.
        GraphTooOldError: The server is older than :data:`MINIMUM_VERSION`.
    """

    def __init__(self, uri: str, user: str, password: str, database: str = "neo4j") -> None:
        self.uri = uri
        self.user = user
        self.database = database
        try:
            self._driver = neo4j.GraphDatabase.driver(
                uri, auth=(user, password), max_transaction_retry_time=0, notifications_min_severity="OFF"
            )
        except (ConfigurationError, ValueError) as error:
            raise GraphUnreachableError(uri, error) from error
        try:
            self.version = self._server_version()
            check_version(uri, self.version)
        except BaseException:
            self._driver.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Ctrl-C leaves a connection in the middle of a message, which cannot be closed in good order.
        with suppress(*((BufferError, DriverError) if kind is KeyboardInterrupt else ())):
            self.close()

    def answers(self) -> bool:
        """Say whether the server answers right now; nothing is tried twice."""
        try:
            self._driver.verify_connectivity()
        except (DriverError, Neo4jError, OSError):
            return False
        return True

    def close(self) -> None:
        """Close every connection."""
        self._driver.close()

    def read(self, query: str, **parameters: Any) -> list[neo4j.Record]:
        """Run one read and return its records; have it return pages of lists, not one record per pair."""
        return self._in_session(
            neo4j.READ_ACCESS, lambda session: session.execute_read(lambda tx: _run(tx, query, parameters)[0])
        )

    def write(self, query: str, **parameters: Any) -> neo4j.SummaryCounters:
        """Run one write that is safe to do twice and return what it changed."""
        return self.transaction(lambda tx: _run(tx, query, parameters)[1])

    def transaction(self, work: Callable[[neo4j.ManagedTransaction], T]) -> T:
        """Run ``work`` in one write transaction, again as a whole when it fails for a passing reason.

        ``work`` must be safe to do twice even when the outcome of a commit stayed unknown.
        """
        return self._in_session(neo4j.WRITE_ACCESS, lambda session: session.execute_write(work))

    def command(self, query: str, **parameters: Any) -> None:
        """Run one schema change in its own transaction."""
        self._in_session(neo4j.WRITE_ACCESS, lambda session: session.run(query, parameters).consume())

    def _in_session(self, access: str, work: Callable[[neo4j.Session], T]) -> T:
        def attempt() -> T:
            try:
                with self._driver.session(database=self.database, default_access_mode=access) as session:
                    return work(session)
            except Exception as error:
                if came_of_interrupt(error):
                    raise KeyboardInterrupt from error
                raise

        try:
            return retry(attempt, when=may_pass)
        except (DriverError, Neo4jError, OSError) as error:
            ours = explained(self.uri, self.user, error)
            if ours is None:
                raise
            raise ours from error

    def _server_version(self) -> str:
        query = "CALL dbms.components() YIELD name, versions WHERE name = 'Neo4j Kernel' RETURN versions[0] AS version"
        try:
            self._driver.verify_connectivity()
        except (DriverError, Neo4jError, OSError, ValueError) as error:
            raise explained(self.uri, self.user, error) or GraphUnreachableError(self.uri, error) from error
        return str(self.read(query)[0]["version"])


def check_version(uri: str, version: str) -> None:
    """Raise :class:`GraphTooOldError` unless ``version`` is at least :data:`MINIMUM_VERSION`."""
    numbers = tuple(int(part) for part in version.split("-")[0].split(".")[:2])
    if numbers < MINIMUM_VERSION:
        raise GraphTooOldError(uri, version)


def _run(
    tx: neo4j.ManagedTransaction, query: str, parameters: dict[str, Any]
) -> tuple[list[neo4j.Record], neo4j.SummaryCounters]:
    result = tx.run(query, parameters)
    records = list(result)
    return records, result.consume().counters
