"""``recsys evaluate`` as a user meets it."""

from __future__ import annotations

import pytest

SYSTEMS = ["recsys", "popularity", "bm25", "bm25_queries"]


@pytest.fixture
def trained(shop, graph, neo4j_server, monkeypatch, tmp_path):
    """A run, the graph it says it was trained on, and a held-out log."""
    run = shop.run("a")
    for label, table in (("Query", run.queries()), ("Item", run.items())):
        graph.write(
            f"UNWIND $rows AS r CREATE (:{label} {{row: r[0], id: r[1], text: r[2]}})",
            rows=[[row, *pair] for row, pair in enumerate(zip(table.ids, table.texts, strict=True))],
        )
    graph.write("MATCH (q:Query), (i:Item {row: q.row}) CREATE (q)-[:CLICKED {clicks: 1}]->(i)")
    monkeypatch.setenv("RECSYS_NEO4J__URI", neo4j_server.uri)
    monkeypatch.setenv("RECSYS_NEO4J__PASSWORD", neo4j_server.password)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "test.csv").write_text("qid,query,item\nq1,red lamp,item-3\nq1,red lamp,gone\nq2,oak,item-4\n")
    (tmp_path / "filter.csv").write_text("query_id,item_id\nq2,item-4\n")
    return run


@pytest.mark.parametrize("shop", ["embedded"], indirect=True)
class TestEvaluate:
    """All on one small run."""

    def test_json_has_all_systems_and_what_they_were_measured_on(self, trained, shop, recsys):
        """Percentages by system, slices within, and the counts that explain them."""
        done = recsys("evaluate", "--clicks", "test.csv", "--filter", "filter.csv", "--json", shop=shop)
        assert done.code == 0, done.err
        figures = done.json()
        assert list(figures)[:4] == SYSTEMS
        assert {"P@1", "nDCG@5", "PSP@5", "R@10", "R@100", "slices"} <= figures["bm25"].keys()
        counts = {"queries": 1, "pairs": 2, "dropped": 1, "unknown_items": 1, "unknown_pairs": 1, "run": trained.name}
        assert {name: figures[name] for name in counts} == counts
        assert figures["popularity"]["slices"]["tail"] == {"pairs": 1, "P@1": 0.0, "R@10": 0.0, "R@100": 100.0}
        assert "query_text ← query" in done.err

    def test_tables_for_people(self, trained, shop, recsys):
        """One table of systems, one of slices, and a line on what recall cannot reach."""
        done = recsys("evaluate", "--clicks", "test.csv", "-k", "2", "-k", "1", "--run", trained.name, shop=shop)
        title, header, *rows = done.out.splitlines()
        assert "2 queries and 3 clicked pairs" in title
        assert header.split() == ["system", "P@1", "P@2", "nDCG@1", "nDCG@2", "PSP@1", "PSP@2", "R@10", "R@100"]
        assert [row.split()[0] for row in rows[:4]] == SYSTEMS
        assert "gold items unknown to the run: 1, in 1 pairs" in done.out

    @pytest.mark.parametrize(
        ("arguments", "code", "said"),
        [
            (["--clicks", "none.csv"], 2, "none.csv matches no file"),
            (["--clicks", "test.csv", "--item-id", "sku"], 2, "--item-id COLUMN"),
            (["--clicks", "test.csv", "--filter", "bad.csv"], 2, "bad.csv needs columns query_id"),
            (["--clicks", "test.csv", "-k", "0"], 2, "-k"),
            (["--clicks", "test.csv", "--run", "nope"], 1, "no finished run 'nope'"),
            ([], 2, "--clicks"),
        ],
    )
    def test_wrong_input_is_said(self, trained, shop, recsys, tmp_path, arguments, code, said):
        """The exit code is 2 for usage and 1 for data, and the message names the option or the file."""
        (tmp_path / "bad.csv").write_text("a,b\n1,2\n")
        done = recsys("evaluate", *arguments, shop=shop)
        assert (done.code, said in done.err) == (code, True), done.err

    def test_another_graph_is_refused(self, trained, shop, recsys, graph):
        """After the graph changed under the run, the command says what to do."""
        graph.write("MATCH (n:Query) DETACH DELETE n")
        done = recsys("evaluate", "--clicks", "test.csv", shop=shop)
        assert done.code == 1
        assert "run `recsys train` on this graph" in done.err
