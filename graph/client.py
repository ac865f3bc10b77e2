"""One connection to the graph: reads and writes that are retried, and errors that say what to do."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from types import TracebackType
from typing import Any, TypeVar

import neo4j
from neo4j.exceptions import (
    ConfigurationError,
    ConnectionPoolError,
    ConstraintError,
    DriverError,
    Neo4jError,
    ServiceUnavailable,
    SessionExpired,
)

from recsys.core.errors import ServiceError, came_of_interrupt
from recsys.core.retry import retry

T = TypeVar("T")

MINIMUM_VERSION = (5, 26)
"Relationship types as parameters, which keep a relation's name from ever being read as Cypher, came with 5.26."


_MEMORY_CODES = frozenset(
    f"Neo.TransientError.General.{name}"
    for name in ("MemoryPoolOutOfMemoryError", "OutOfMemoryError", "TransactionMemoryLimit")
)
"What a transaction that is too large ends with; it would again, so that it is not retried."


class GraphUnreachableError(ServiceError):
    """No Neo4j answers at the address, or it vanished and did not come back."""

    def __init__(self, uri: str, cause: Exception) -> None:
        self.uri = uri
        super().__init__(
            f"Neo4j at {uri} does not answer ({_detail(cause)}); check neo4j.uri and `recsys status`, then run the "
            "same command again: what was written stays and is not written twice"
        )


class GraphRefusedError(ServiceError):
    """Neo4j answered and refused the user, password or database."""

    def __init__(self, uri: str, user: str, cause: Exception) -> None:
        self.uri = uri
        self.user = user
        super().__init__(
            f"Neo4j at {uri} refuses user {user!r} ({_detail(cause)}); set neo4j.user, neo4j.password and "
            "neo4j.database (for example RECSYS_NEO4J__PASSWORD), then `recsys doctor`"
        )


class GraphMemoryError(ServiceError):
    """Neo4j has too little memory for one transaction."""

    def __init__(self, uri: str, cause: Exception) -> None:
        self.uri = uri
        super().__init__(
            f"Neo4j at {uri} has too little memory for one transaction ({_detail(cause)}); give it more (managed: "
            "`recsys down`, set neo4j.heap, such as RECSYS_NEO4J__HEAP=2g), or write less at once (ingest.chunk_rows, "
            "such as RECSYS_INGEST__CHUNK_ROWS=5000; files that were begun keep the chunks they began with), then run "
            "the same command again: what was written stays and is not written twice"
        )


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
            return retry(attempt, when=_may_pass)
        except (DriverError, Neo4jError, OSError) as error:
            explained = self._explain(error)
            if explained is None:
                raise
            raise explained from error

    def _explain(self, error: Exception) -> ServiceError | None:
        if isinstance(error, Neo4jError) and _is_refusal(error):
            return GraphRefusedError(self.uri, self.user, error)
        if _lacks_memory(error):
            return GraphMemoryError(self.uri, error)
        if isinstance(error, ConfigurationError) or (_may_pass(error) and not isinstance(error, ConstraintError)):
            return GraphUnreachableError(self.uri, error)
        return None

    def _server_version(self) -> str:
        query = "CALL dbms.components() YIELD name, versions WHERE name = 'Neo4j Kernel' RETURN versions[0] AS version"
        try:
            self._driver.verify_connectivity()
        except (DriverError, Neo4jError, OSError, ValueError) as error:
            raise self._explain(error) or GraphUnreachableError(self.uri, error) from error
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


def _may_pass(error: Exception) -> bool:
    """True for lost connections, deadlocks, an unknown commit, and two writers that created the same ledger entry."""
    if isinstance(error, Neo4jError):
        return isinstance(error, ConstraintError) or (error.is_retryable() and not _lacks_memory(error))
    return isinstance(error, ServiceUnavailable | SessionExpired | ConnectionPoolError | OSError)


def _lacks_memory(error: Exception) -> bool:
    return isinstance(error, Neo4jError) and error.code in _MEMORY_CODES


def _is_refusal(error: Neo4jError) -> bool:
    return error.code.startswith("Neo.ClientError.Security.") or "DatabaseNotFound" in error.code


def _detail(cause: Exception) -> str:
    text = cause.message if isinstance(cause, Neo4jError) else str(cause)
    return " ".join(text.split())[:300]
