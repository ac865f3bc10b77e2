import pytest

from recsys.graph.client import Graph
from recsys.graph.relations import Relation, list_relations
from recsys.ingest import relations
from recsys.ingest.relations import NothingClickedError, derive_co_clicked

CO_CLICKED = Relation("CO_CLICKED", "Item", "Item", "derived")
# Contexts: q0 has {i0, i1}; q1 has {i0, i1}; q2 has {i2}, and i3 from its session mate q3, which has {i3} and i2.
CLICKS = [(0, 0), (0, 1), (1, 0), (1, 1), (2, 2), (3, 3)]
EXPECTED = {(0, 1): 1.0, (1, 0): 1.0, (2, 3): 1.0, (3, 2): 1.0}


def quiet(line: str) -> None:
    """Say nothing."""


@pytest.fixture
def clicked(graph: Graph) -> Graph:
    """Four queries, four items, six clicks and a session of the last two queries."""
    for label in ("Query", "Item"):
        graph.write(
            f"UNWIND range(0, 3) AS r CREATE (:{label} {{id: '{label}' + r, row: r}}) WITH count(*) AS n "
            "MATCH (c:RowCounter {label: $label}) SET c.next = n",
            label=label,
        )
    click(graph, CLICKS)
    graph.write(
        "MATCH (a:Query {row: 2}), (b:Query {row: 3}) "
        "CREATE (a)-[:SAME_SESSION {sessions: 1}]->(b), (b)-[:SAME_SESSION {sessions: 1}]->(a)"
    )
    return graph


def click(graph: Graph, pairs: list[tuple[int, int]]) -> None:
    """Add clicks between rows."""
    graph.write(
        "UNWIND $pairs AS p MATCH (q:Query {row: p[0]}), (i:Item {row: p[1]}) CREATE (q)-[:CLICKED {clicks: 1}]->(i)",
        pairs=[list(pair) for pair in pairs],
    )


def co_clicked(graph: Graph) -> dict[tuple[int, int], float]:
    """Return the edges, of which there is one per pair."""
    records = graph.read("MATCH (a:Item)-[r:CO_CLICKED]->(b:Item) RETURN a.row AS a, b.row AS b, r.weight AS w")
    assert len({(r["a"], r["b"]) for r in records}) == len(records)
    return {(r["a"], r["b"]): r["w"] for r in records}


def test_items_of_shared_queries_and_sessions_are_joined(clicked: Graph) -> None:
    """Hand-worked cosines, a registered relation, and the counts of the summary."""
    derived = derive_co_clicked(clicked, 3, quiet)
    assert co_clicked(clicked) == pytest.approx(EXPECTED)
    assert (derived.relation, derived.edges, derived.items, derived.removed) == ("CO_CLICKED", 4, 4, 0)
    assert list_relations(clicked) == [CO_CLICKED]


def test_later_clicks_change_weights_and_edges(clicked: Graph) -> None:
    """Derived again it is as if it were derived once from all clicks; edges that no longer hold are gone."""
    derive_co_clicked(clicked, 3, quiet)
    click(clicked, [(1, 2)])
    clicked.write("MATCH (:Query {row: 3})-[c:CLICKED]->() DELETE c")
    derived = derive_co_clicked(clicked, 3, quiet)
    # Contexts of i0: q0 q1; of i1: q0 q1; of i2: q1 q2 q3 (lent by q2); none of i3.
    half = 1 / 6**0.5
    now = {(0, 1): 1.0, (1, 0): 1.0, (0, 2): half, (2, 0): half, (1, 2): half, (2, 1): half}
    assert co_clicked(clicked) == pytest.approx(now)
    assert (derived.edges, derived.removed) == (6, 2)


def test_broken_off_anywhere_it_ends_the_same(clicked: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after any chunk while clicks changed in between, the next run ends in the edges of the graph as it is."""
    derive_co_clicked(clicked, 1, quiet)
    write, written = relations.write_weighted, 0

    def die(limit: int) -> None:
        def one(*arguments: object) -> None:
            nonlocal written
            write(*arguments)  # type: ignore[arg-type]  # handed through
            written += 1
            if written == limit:
                raise KeyboardInterrupt

        monkeypatch.setattr(relations, "write_weighted", one)

    click(clicked, [(1, 2)])
    for limit in (1, 2, 3, 4, 5, 6):
        written = 0
        die(limit)
        with pytest.raises(KeyboardInterrupt):
            derive_co_clicked(clicked, 1, quiet)
        assert set(co_clicked(clicked)) >= set(EXPECTED)
    clicked.write("MATCH (:Query {row: 1})-[c:CLICKED]->(:Item {row: 2}) DELETE c")
    monkeypatch.setattr(relations, "write_weighted", write)
    derive_co_clicked(clicked, 1, quiet)
    assert co_clicked(clicked) == pytest.approx(EXPECTED)


def test_a_graph_without_clicks_is_an_error(graph: Graph) -> None:
    """It names the next command and registers nothing."""
    with pytest.raises(NothingClickedError, match="recsys ingest clicks"):
        derive_co_clicked(graph, 3, quiet)
    assert list_relations(graph) == []
