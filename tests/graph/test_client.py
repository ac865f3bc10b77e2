"""Connections to the graph: what is tried again, and what becomes which error."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import neo4j
import pytest
import stamina.instrumentation
from neo4j.exceptions import ClientError, ServiceUnavailable

from recsys.graph.client import Graph, GraphTooOldError, check_version
from recsys.graph.neo4j_errors import GraphMemoryError, GraphRefusedError, GraphUnreachableError
from recsys.graph.server import Server
from recsys.graph.server_process import free_port


@pytest.fixture
def retries() -> Iterator[list[Exception]]:
    """Collects the cause of every retry."""
    causes: list[Exception] = []
    stamina.instrumentation.set_on_retry_hooks([lambda details: causes.append(details.caused_by)])
    yield causes
    stamina.instrumentation.set_on_retry_hooks(None)


def test_a_wrong_password_is_refused_at_once(neo4j_server: Server, retries: list[Exception]):
    """However often it is given, and also once the server limits the rate, it is a refusal and never tried again."""
    for _ in range(5):
        with pytest.raises(GraphRefusedError, match=r"refuses user 'stranger'.*RECSYS_NEO4J__PASSWORD"):
            Graph(neo4j_server.uri, "stranger", "wrong")
    assert retries == []


def test_an_unknown_database_is_refused(neo4j_server: Server):
    """The error names the setting that is wrong."""
    with pytest.raises(GraphRefusedError, match=r"neo4j\.database"):
        Graph(neo4j_server.uri, neo4j_server.user, neo4j_server.password, "elsewhere")


@pytest.mark.parametrize("uri", ["bolt://127.0.0.1:{port}", "bolt://localhost:{port}", "nonsense://here", "bolt://"])
def test_nothing_at_the_address_is_our_error(uri: str):
    """A closed port or an address that is none says which address it was."""
    address = uri.format(port=free_port(0))
    with pytest.raises(GraphUnreachableError) as error:
        Graph(address, "neo4j", "secret")
    assert error.value.uri == address
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("version", ["5.26.0", "5.26.30", "5.27.0-aura", "2025.10.1", "6.0"])
def test_new_enough_versions_pass(version: str):
    """5.26 and everything after it is good."""
    check_version("bolt://x", version)


@pytest.mark.parametrize("version", ["4.4.40", "5.25.1", "5.3.0", "5.9-aura"])
def test_older_versions_are_refused(version: str):
    """Versions compare by number, not by letter."""
    with pytest.raises(GraphTooOldError, match=rf"is version {version}; 5\.26 or later"):
        check_version("bolt://x", version)


def test_a_passing_failure_is_tried_again_as_a_whole(graph: Graph, retries: list[Exception]):
    """A connection lost half-way rolls back; the second try writes once."""

    def work(tx: neo4j.ManagedTransaction) -> None:
        tx.run("CREATE (:Mark)").consume()
        if not retries:
            raise ServiceUnavailable("lost")

    graph.transaction(work)
    assert [str(cause) for cause in retries] == ["lost"]
    assert graph.read("MATCH (m:Mark) RETURN count(m) AS n")[0]["n"] == 1


def test_a_deadlock_resolves_itself(graph: Graph, retries: list[Exception]):
    """Two transactions that lock two nodes in opposite order both come through."""
    graph.write("CREATE (:Lock {name: 'a', n: 0}), (:Lock {name: 'b', n: 0})")
    both_hold_one = threading.Barrier(2)

    def worker(order: str) -> None:
        meet = iter([both_hold_one.wait])  # on the first try alone

        def work(tx: neo4j.ManagedTransaction) -> None:
            bump = "MATCH (l:Lock {name: $name}) SET l.n = l.n + 1"
            tx.run(bump, name=order[0]).consume()
            next(meet, lambda: 0)()
            tx.run(bump, name=order[1]).consume()

        graph.transaction(work)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(worker, ["ab", "ba"]))
    assert retries
    assert graph.read("MATCH (l:Lock) RETURN sum(l.n) AS n")[0]["n"] == 4


def test_a_mistake_of_ours_is_not_hidden(graph: Graph, retries: list[Exception]):
    """A query that cannot be parsed is raised as it is and not tried again."""
    with pytest.raises(ClientError, match="SyntaxError"):
        graph.read("MATSCH (n) RETURN n")
    assert retries == []


def test_a_transaction_too_large_for_the_heap_says_what_to_change(graph: Graph, retries: list[Exception]):
    """It would be too large again: it is not tried again, and the error names both settings."""
    query = "UNWIND range(1, 100000) AS x WITH collect($text + x) AS texts RETURN size(texts) AS n"
    with pytest.raises(GraphMemoryError, match=r"neo4j\.heap.*ingest\.chunk_rows") as error:
        graph.read(query, text="x" * 1_000_000)
    assert "memory" in str(error.value)
    assert retries == []
    assert graph.read("RETURN 1 AS one")[0]["one"] == 1


def test_ctrl_c_stays_one_whatever_the_driver_stumbles_over(graph: Graph, retries: list[Exception]):
    """A connection that it left in the middle of a message does not turn it into an error of the driver."""

    def work(tx: neo4j.ManagedTransaction) -> None:
        try:
            raise KeyboardInterrupt
        finally:
            raise BufferError("Existing exports of data: object cannot be re-sized")

    with pytest.raises(KeyboardInterrupt):
        graph.transaction(work)
    assert retries == []
