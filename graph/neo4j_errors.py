"""What goes wrong with Neo4j, in our words, and whether the same transaction may succeed later."""

from __future__ import annotations

from neo4j.exceptions import (
    ConfigurationError,
    ConnectionPoolError,
    ConstraintError,
    Neo4jError,
    ServiceUnavailable,
    SessionExpired,
)

from recsys.core.errors import ServiceError

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


def explained(uri: str, user: str, error: Exception) -> ServiceError | None:
    """Return what the driver raised in our words; None where it is no fault of the server, but of what was asked.

    Args:
        uri: Whom was asked.
        user: By whom.
        error: Of the driver, or of the network beneath it.
    """
    if isinstance(error, Neo4jError) and _is_refusal(error):
        return GraphRefusedError(uri, user, error)
    if _lacks_memory(error):
        return GraphMemoryError(uri, error)
    if isinstance(error, ConfigurationError) or (may_pass(error) and not isinstance(error, ConstraintError)):
        return GraphUnreachableError(uri, error)
    return None


def may_pass(error: Exception) -> bool:
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
