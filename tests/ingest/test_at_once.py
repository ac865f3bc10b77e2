"""Ingests that run at the same time."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import neo4j
import pytest

from benchmarks.faults.dump import dump
from recsys.graph import write
from recsys.graph.adopt import adopt
from recsys.graph.check import check_graph
from recsys.graph.client import Graph
from recsys.graph.ledger import Chunk, write_chunk
from recsys.graph.server import Server
from recsys.ingest.clean import CLICKS, LINKS
from recsys.ingest.clicks import load_clicks
from recsys.ingest.job import Job
from recsys.ingest.links import load_links
from recsys.ingest.summary import Summary

T = TypeVar("T")


class Held(Graph):
    """A graph whose writes call ``before_commit`` while their transaction is open."""

    before_commit: Callable[[], object] = staticmethod(lambda: None)

    def transaction(self, work: Callable[[neo4j.ManagedTransaction], T]) -> T:
        """Run ``work``, then ``before_commit``, then commit."""

        def both(tx: neo4j.ManagedTransaction) -> T:
            result = work(tx)
            self.before_commit()
            return result

        return super().transaction(both)


@pytest.fixture
def held(neo4j_server: Server, graph: Graph) -> Iterator[Held]:
    """A second connection to the empty graph."""
    with Held(neo4j_server.uri, neo4j_server.user, neo4j_server.password) as opened:
        yield opened


@pytest.fixture
def other(neo4j_server: Server, graph: Graph) -> Iterator[Graph]:
    """A third one."""
    with Graph(neo4j_server.uri, neo4j_server.user, neo4j_server.password) as opened:
        yield opened


def write_log(path: Path, start: int, rows: int = 24) -> Counter[tuple[str, str]]:
    """Write clicks of few queries on few items, in sessions, and return them counted."""
    pairs = [(f"q{row % 5}", f"i{row % 7}") for row in range(start, start + rows)]
    lines = [f"{q},{i},Item {i},s{n // 4},{1_700_000_000 + n}" for n, (q, i) in enumerate(pairs)]
    path.write_text("\n".join(["query,item,title,session,timestamp", *lines]) + "\n")
    return Counter(pairs)


def clicked(graph: Graph) -> Counter[tuple[str, str]]:
    """Return the clicks per (query text, item id)."""
    records = graph.read("MATCH (q:Query)-[c:CLICKED]->(i:Item) RETURN q.text AS q, i.id AS i, c.clicks AS n")
    return Counter({(record["q"], record["i"]): record["n"] for record in records})


def both(*loads: Callable[[], Summary]) -> list[Summary]:
    """Run all at the same time."""
    with ThreadPoolExecutor(len(loads)) as pool:
        return [future.result() for future in [pool.submit(load) for load in loads]]


def failing(graph: Graph) -> list[str]:
    """Return the names of the checks that fail."""
    return [finding.name for finding in check_graph(graph) if not finding.ok]


def test_links_that_are_written_while_their_query_is_created_reach_it(held: Held, graph: Graph) -> None:
    """The query's ingest waits until the links are in, so that it finds them when it adopts."""
    graph.write(write.LINK_ENDS, ids=["q", "tag"], texts=[None, None], is_target=[False, True])
    adopted = threading.Event()

    def create() -> None:
        write_chunk(graph, write.QUERIES, Chunk("queries", {"ids": ["q"], "texts": ["red"]}))
        adopt(graph)
        adopted.set()

    with ThreadPoolExecutor(1) as pool:
        creating = iter([lambda: pool.submit(create)])  # on the first try alone

        def meanwhile() -> None:
            next(creating, lambda: None)()
            assert not adopted.wait(0.5)

        held.before_commit = meanwhile
        links = {"source_ids": ["q"], "target_ids": ["tag"], "relations": ["HAS_TAG"]}
        write_chunk(held, write.LINKS, Chunk("links", {**links, "source": [0], "target": [0], "relation": [0]}))
    assert graph.read("MATCH (:Query {id: 'q'})-[:HAS_TAG]->(a) RETURN collect(a.id) AS ids")[0]["ids"] == ["tag"]


def test_an_anchor_whose_query_comes_between_its_links_has_them_all(graph: Graph) -> None:
    """Ends, query, links: the graph is that of ends, links, query, and no anchor stands alone."""
    ends = {"ids": ["q", "tag"], "texts": [None, None], "is_target": [False, True]}
    links = {"source_ids": ["q"], "target_ids": ["tag"], "relations": ["HAS_TAG"]}
    steps = {
        "ends": (write.LINK_ENDS, ends),
        "links": (write.LINKS, {**links, "source": [0], "target": [0], "relation": [0]}),
        "query": (write.QUERIES, {"ids": ["q"], "texts": ["red"]}),
    }
    outcomes = []
    for order in (("ends", "links", "query"), ("ends", "query", "links")):
        graph.write("MATCH (n) WHERE NOT n:RowCounter DETACH DELETE n")
        graph.write("MATCH (c:RowCounter) SET c.next = 0, c.adopted = 0")
        for step in order:
            graph.write(steps[step][0], **steps[step][1])
            adopt(graph)
        outcomes.append(dump(graph))
    assert outcomes[0] == outcomes[1]
    assert "every anchor has an edge" not in failing(graph)


def test_chunks_that_add_to_the_same_pair_at_once_add_up(held: Held, other: Graph, graph: Graph) -> None:
    """None of the clicks, sessions, times and rows of two writers is lost."""
    ids = [f"n{n}" for n in range(4)]

    def clicks(writer: Graph, name: str) -> None:
        for number in range(15):
            write_chunk(writer, write.QUERIES, Chunk(f"{name}/q/{number}", {"ids": [*ids, name], "texts": ["t"] * 5}))
            times = [number, None, 7, number]
            items = {"ids": ids, "texts": ["t"] * 4, "first_seen": times, "last_seen": times}
            write_chunk(writer, write.ITEMS, Chunk(f"{name}/i/{number}", items))
            pairs = {"query_ids": ids, "item_ids": ids, "query": [0, 1, 2, 3], "item": [3, 2, 1, 0]}
            chunk = Chunk(f"{name}/{number}", {**pairs, "clicks": [1] * 4, "last_at": times})
            write_chunk(writer, write.CLICKS, chunk)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(clicks, [held, other], "ab"))
    records = graph.read("MATCH ()-[c:CLICKED]->() RETURN c.clicks AS clicks, c.last_at AS at ORDER BY at")
    assert [tuple(record.values()) for record in records] == [(30, 7), (30, 14), (30, 14), (30, None)]
    seen = graph.read("MATCH (i:Item) RETURN i.first_seen AS first, i.last_seen AS last ORDER BY last, first")
    assert [tuple(record.values()) for record in seen] == [(7, 7), (0, 14), (0, 14), (None, None)]
    assert sorted(graph.read("MATCH (q:Query) RETURN collect(q.row) AS rows")[0]["rows"]) == list(range(6))


def test_the_same_file_twice_at_once_is_in_once(
    job: Job, other: Graph, graph: Graph, sources: Callable, tmp_path: Path
) -> None:
    """Each chunk is written by one of the two, bad rows lie there once, and both end well."""
    expected = write_log(tmp_path / "a.csv", 0)
    with (tmp_path / "a.csv").open("a") as out:
        out.write(",i1,,,\n")
    found = sources(CLICKS, tmp_path / "a.csv")
    job = replace(job, session_window=60_000)
    one, two = both(lambda: load_clicks(job, found), lambda: load_clicks(replace(job, graph=other), found))
    assert clicked(graph) == expected
    assert one.rejects == two.rejects
    assert len(list((tmp_path / "workspace" / "rejects").iterdir())) == 1
    assert failing(graph) == []


def test_clicks_and_links_at_once_end_in_the_sum(
    job: Job, other: Graph, graph: Graph, neo4j_server: Server, sources: Callable, tmp_path: Path
) -> None:
    """Two logs that share queries, items and sessions, and links from all of these: nothing is lost or doubled."""
    expected = write_log(tmp_path / "a.csv", 0) + write_log(tmp_path / "b.csv", 13)
    ids = [f"i{n}" for n in range(7)]
    (tmp_path / "links.csv").write_text("source,relation,target\n" + "".join(f"{i},HAS_TAG,t{i}\n" for i in ids))
    one, two = (sources(CLICKS, tmp_path / f"{name}.csv") for name in "ab")
    links = sources(LINKS, tmp_path / "links.csv")
    job = replace(job, session_window=60_000)
    with Graph(neo4j_server.uri, neo4j_server.user, neo4j_server.password) as third:
        both(
            lambda: load_clicks(job, one),
            lambda: load_clicks(replace(job, graph=other), two),
            lambda: load_links(replace(job, graph=third), links),
        )
    assert clicked(graph) == expected
    linked = graph.read("MATCH (i:Item)-[:HAS_TAG]->(t:Anchor) RETURN collect(i.id + t.id) AS links")[0]["links"]
    assert sorted(linked) == [f"{i}t{i}" for i in ids]
    assert failing(graph) == []
