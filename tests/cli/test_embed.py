"""``recsys embed`` as a user meets it."""

from __future__ import annotations

import pytest

from recsys.core.files import write_json


@pytest.fixture
def trained(shop, graph, neo4j_server, monkeypatch, tmp_path):
    """A run and the graph it says it was trained on, with one item more."""
    run = shop.run("a")
    for label, table in (("Query", run.queries()), ("Item", run.items())):
        graph.write(
            f"UNWIND $rows AS r CREATE (:{label} {{row: r[0], id: r[1], text: r[2]}})",
            rows=[[row, *pair] for row, pair in enumerate(zip(table.ids, table.texts, strict=True))],
        )
    graph.write("MATCH (q:Query), (i:Item {row: q.row}) CREATE (q)-[:CLICKED {clicks: 1}]->(i)")
    graph.write("CREATE (:Item {row: 40, id: 'fresh', text: 'wool oak lamp'})")
    graph.write("UNWIND [['Query', 12], ['Item', 41]] AS c MATCH (n:RowCounter {label: c[0]}) SET n.next = c[1]")
    write_json(run.path / "settings.json", {"encoder": "tiny"})
    write_json(run.path / "metrics.json", {"held_out_queries": 0})
    snapshot = {"rows": {"Query": 12, "Item": 40}, "clicked_pairs": 12, "relations": []}
    composition = {"alpha": 2.0, "evidence": 1.0}
    write_json(run.path / "manifest.json", {**run.manifest, "snapshot": snapshot, "composition": composition})
    monkeypatch.setenv("RECSYS_NEO4J__URI", neo4j_server.uri)
    monkeypatch.setenv("RECSYS_NEO4J__PASSWORD", neo4j_server.password)
    monkeypatch.chdir(tmp_path)
    return run


@pytest.mark.parametrize("shop", ["embedded"], indirect=True)
def test_a_new_item_goes_live_without_training(trained, shop, recsys):
    """The dry run tells of the item; embedding and publishing make it findable by its title."""
    dry = recsys("embed", "--dry-run", "--json", shop=shop).json()
    assert (dry["from"], dry["items"], dry["new_items"], dry["dry_run"]) == (trained.name, 41, 1, True)
    assert "run" not in dry
    (shop.runs / trained.name).rename(shop.runs / "00000000-000000-first")
    done = recsys("embed", shop=shop)
    assert done.code == 0, done.err
    assert "next: recsys publish" in done.out
    assert recsys("publish", shop=shop).code == 0
    hits = recsys("recommend", "wool oak lamp", "--json", shop=shop).json()["results"][0]["hits"]
    assert hits[0]["id"] == "fresh"


@pytest.mark.parametrize("shop", ["embedded"], indirect=True)
def test_a_run_that_does_not_exist_is_named(trained, shop, recsys):
    """The error lists the runs there are."""
    missing = recsys("embed", "nope", shop=shop)
    assert missing.code == 1
    assert trained.name in missing.err
