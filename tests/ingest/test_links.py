import json
from collections.abc import Callable
from pathlib import Path

import pytest

from recsys.graph.client import Graph
from recsys.graph.relations import Relation, list_relations
from recsys.ingest.clean import CLICKS, ITEMS, LINKS, NODES
from recsys.ingest.clicks import load_clicks
from recsys.ingest.items import load_items
from recsys.ingest.job import Job
from recsys.ingest.links import load_links

CYPHER_NAME = "X`]->() DETACH DELETE n // \\u0060"
LINK_ROWS = [
    ("i1", "brand", "acme"),
    ("i1", "page", "both"),
    ("both", "brand", "acme"),
    ("both", CYPHER_NAME, "c1"),
    ("c1", "parent", "c0"),
    ("i1", "brand", "acme"),
]


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """Clicks, items, links and node titles, in which ``both`` is a query, an item and a link's end."""
    contents = {
        "clicks": [{"query_id": "both", "query": "both as query", "item": "i1"}],
        "items": [{"item_id": "i1", "title": "One"}, {"item_id": "both", "title": "Both", "price": 3}],
        "links": [dict(zip(("source", "relation", "target"), row, strict=True)) for row in LINK_ROWS],
        "nodes": [{"node_id": "acme", "title": "Acme Inc"}, {"node_id": "unlinked", "title": "Nobody"}],
    }
    for name, rows in contents.items():
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return {name: tmp_path / f"{name}.jsonl" for name in contents}


def edges(graph: Graph) -> set[tuple[str, str, str, str]]:
    """Return (label, source, relation, target) of every link that leaves a query or item."""
    records = graph.read(
        "MATCH (s)-[r]->(t:Anchor) WHERE NOT s:Anchor RETURN labels(s)[0] AS l, s.id AS s, type(r) AS r, t.id AS t"
    )
    return {(r["l"], r["s"], r["r"], r["t"]) for r in records}


def texts(graph: Graph) -> dict[str, str | None]:
    """Return the anchors' texts by id."""
    return {r["id"]: r["text"] for r in graph.read("MATCH (a:Anchor) RETURN a.id AS id, a.text AS text")}


EXPECTED = {
    ("Item", "i1", "brand", "acme"),
    ("Item", "i1", "page", "both"),
    *(
        (label, "both", relation, target)
        for label in ("Query", "Item")
        for relation, target in (("brand", "acme"), (CYPHER_NAME, "c1"))
    ),
}


@pytest.mark.parametrize(
    "order",
    [
        ("clicks", "items", "links"),
        ("items", "links", "clicks"),
        ("links", "clicks", "items"),
        ("links", "items", "clicks"),
    ],
)
def test_the_order_of_ingests_does_not_matter(
    job: Job, graph: Graph, sources: Callable, files: dict[str, Path], order: tuple[str, ...]
) -> None:
    """Queries and items have their links, and anchors their texts, whichever came first; again adds nothing."""
    loaders = {
        "clicks": lambda: load_clicks(job, sources(CLICKS, files["clicks"])),
        "items": lambda: load_items(job, sources(ITEMS, files["items"])),
        "links": lambda: load_links(job, sources(LINKS, files["links"]), sources(NODES, files["nodes"])),
    }
    for name in order:
        loaders[name]()
    assert edges(graph) == EXPECTED
    known = texts(graph)
    assert {known[name] for name in ("acme", "both")} == {"Acme Inc", "Both"}
    assert known["c0"] is known["c1"] is None
    assert "unlinked" not in known
    ends = {(r.name, r.source) for r in list_relations(graph)}
    assert ends >= {(r, label) for label, _, r, _ in EXPECTED} | {("parent", "Anchor")}
    for name in order:
        assert loaders[name]().created.total() == 0


def test_a_source_that_is_nothing_else_is_an_anchor(
    job: Job, graph: Graph, sources: Callable, files: dict[str, Path]
) -> None:
    """A tree of categories hangs together, and each relation is registered for the labels it leaves."""
    load_items(job, sources(ITEMS, files["items"]))
    summary = load_links(job, sources(LINKS, files["links"]))
    assert set(texts(graph)) == {"acme", "both", "c0", "c1"}
    assert summary.distinct == {"link_ends": 5, "links": 5}
    assert summary.created == {"nodes_created": 4, "relationships_created": 5}
    assert list_relations(graph) == [
        Relation(CYPHER_NAME, "Item", "Anchor"),
        Relation("brand", "Item", "Anchor"),
        Relation("page", "Item", "Anchor"),
        Relation("parent", "Anchor", "Anchor"),
    ]


def test_bad_links_go_aside(job: Job, graph: Graph, sources: Callable, rejected: Callable, tmp_path: Path) -> None:
    """Reserved and empty names, missing ends and self links each have their reason."""
    path = tmp_path / "links.csv"
    path.write_text(
        "source,relation,target,target_text\na,brand,b,Bee\na,CLICKED,b,\na,brand_WALKED,b,\na,,b,\n"
        ",brand,b,\na,brand, ,\na,brand,a,\n"
    )
    summary = load_links(job, sources(LINKS, path))
    assert summary.kept == 1
    assert [row["reason"] for row in rejected(summary.rejects)] == [
        "reserved_relation",
        "reserved_relation",
        "empty_relation",
        "empty_source",
        "empty_target",
        "self_link",
    ]
    assert texts(graph) == {"a": None, "b": "Bee"}


def test_a_table_of_pairs_takes_its_relation_from_the_call(
    job: Job, graph: Graph, sources: Callable, tmp_path: Path
) -> None:
    """The same pairs under another relation are other links."""
    path = tmp_path / "pairs.csv"
    path.write_text("from,to\na,b\n")
    for relation in ("brand", "maker"):
        load_links(job, sources(LINKS, path, relation=relation))
    assert [relation.name for relation in list_relations(graph)] == ["brand", "maker"]
