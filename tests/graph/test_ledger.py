"""The ledger: a chunk is in once, whatever happens."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from neo4j.exceptions import ClientError

from benchmarks.faults.proxy import BoltProxy, Trap
from recsys.graph.client import Graph
from recsys.graph.ledger import Chunk, Written, chunks_in, write_again, write_chunk
from recsys.graph.server import Server

ADD = "UNWIND $names AS name CREATE (:Thing {name: name})"


def things(graph: Graph) -> list[str]:
    """Return the names of all things, sorted."""
    records = graph.read("MATCH (t:Thing) RETURN t.name AS name ORDER BY name")
    return [record["name"] for record in records]


def test_a_chunk_written_twice_changes_nothing(graph: Graph):
    """The second write is skipped and counted as such; the ledger's own node is in no count."""
    chunk = Chunk("batch/things/0", {"names": ["a", "b"]})
    written = Written()
    for _ in range(2):
        written.add(write_chunk(graph, ADD, chunk))
    assert things(graph) == ["a", "b"]
    assert (written.chunks, written.skipped) == (1, 1)
    assert written.counts == {"nodes_created": 2, "relationships_created": 0, "properties_set": 2}


def test_a_failed_chunk_is_not_in(graph: Graph):
    """A statement that fails takes its ledger entry back with it, so that it can be written later."""
    with pytest.raises(ClientError):
        write_chunk(graph, "UNWIND $names AS name CREATE (:Thing {name: name / 0})", Chunk("x", {"names": [1]}))
    assert chunks_in(graph, "x") == set()
    assert write_chunk(graph, ADD, Chunk("x", {"names": ["a"]})) is not None
    assert things(graph) == ["a"]


def test_two_writers_of_one_chunk_write_it_once(graph: Graph):
    """Whoever loses the race skips."""
    chunk = Chunk("same", {"names": ["a"]})
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda _: write_chunk(graph, ADD, chunk), range(4)))
    assert sum(outcome is not None for outcome in outcomes) == 1
    assert things(graph) == ["a"]


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.lists(st.integers(0, 4), max_size=12))
def test_any_order_with_any_repeats_gives_the_same_graph(graph: Graph, order: list[int]):
    """What is in depends on which chunks were written, not on how often or in which order."""
    graph.write("MATCH (n:Thing|Chunk) DELETE n")
    for number in order:
        write_chunk(graph, ADD, Chunk(f"c{number}", {"names": [str(number)]}))
    assert things(graph) == sorted({str(number) for number in order})
    assert chunks_in(graph, "c") == {f"c{number}" for number in order}


def test_a_prefix_is_taken_literally(graph: Graph):
    """Only chunks whose id starts with the prefix are returned."""
    for name in ("a/1", "a/2", "ab/1"):
        write_chunk(graph, "RETURN 1", Chunk(name, {}))
    assert chunks_in(graph, "a/") == {"a/1", "a/2"}


def test_a_chunk_whose_answer_was_lost_is_counted(neo4j_server: Server, graph: Graph):
    """The commit went through and nobody heard of it: the next try returns what the first changed."""
    proxy = BoltProxy(int(neo4j_server.uri.rpartition(":")[2]))
    with Graph(f"bolt://127.0.0.1:{proxy.port}", neo4j_server.user, neo4j_server.password) as behind:
        for number, where in enumerate(("lost", "blind"), start=1):
            proxy.arm(Trap(1, where))
            counts = write_chunk(behind, "CREATE (:Thing), (:Thing)", Chunk(f"c{number}", {}))
            assert counts is not None
            assert counts.nodes_created == 2
            assert graph.read("MATCH (t:Thing) RETURN count(t) AS n")[0]["n"] == 2 * number
            proxy.arm(Trap(1, where))
            merged = write_again(behind, "MERGE (:Other {number: $number})", {"number": number})
            assert merged.nodes_created == 1
        assert write_chunk(behind, "CREATE (:Thing)", Chunk("c1", {})) is None
    proxy.close()
