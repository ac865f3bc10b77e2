"""``recsys train`` as a user meets it."""

from __future__ import annotations

from pathlib import Path

import pytest

from recsys.core.run import find_run
from recsys.graph.client import Graph
from recsys.graph.relations import Relation, register
from recsys.graph.server import Server

WORDS = ("red", "blue", "shoe", "lamp", "oak", "table", "wool", "scarf")


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, neo4j_server: Server, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace that uses the test's Neo4j and no hub."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECSYS_NEO4J__URI", neo4j_server.uri)
    monkeypatch.setenv("RECSYS_NEO4J__USER", neo4j_server.user)
    monkeypatch.setenv("RECSYS_NEO4J__PASSWORD", neo4j_server.password)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    return tmp_path / ".recsys"


@pytest.fixture
def clicked(graph: Graph) -> Graph:
    """A graph of 40 queries and 16 items, each query with two clicks, and a relation of the items."""
    graph.write(
        "UNWIND range(0, 39) AS r CREATE (:Query {id: 'q' + r, text: $words[r % 8] + ' ' + $words[r / 8], row: r})",
        words=WORDS,
    )
    graph.write(
        "UNWIND range(0, 15) AS r CREATE (i:Item {id: 'i' + r, text: $words[r % 8], row: r}) "
        "MERGE (a:Anchor {id: 'a' + r % 4, text: $words[r % 4], row: r % 4}) CREATE (i)-[:CATEGORY]->(a)",
        words=WORDS,
    )
    graph.write(
        "MATCH (q:Query) UNWIND [q.row % 16, (q.row + 8) % 16] AS row MATCH (i:Item {row: row}) "
        "CREATE (q)-[:CLICKED {clicks: 2}]->(i)"
    )
    graph.write(
        "UNWIND [['Query', 40], ['Item', 16], ['Anchor', 4]] AS c MATCH (n:RowCounter {label: c[0]}) SET n.next = c[1]"
    )
    register(graph, [Relation("CATEGORY", "Item", "Anchor")])
    return graph


def quick(encoder: Path) -> list[str]:
    """Return the flags of a training of a second."""
    return ["--encoder", str(encoder), "--epochs", "2", "--batch-size", "16", "--seed", "3"]


def test_a_dry_run_says_what_would_be_read(recsys, clicked: Graph, workspace: Path):
    """Counts and relations, as JSON alone or as lines; nothing is written."""
    plan = recsys("train", "--dry-run", "--json").json()
    assert plan["rows"] == {"Query": 40, "Item": 16, "Anchor": 4}
    assert plan["clicked_pairs"] == 80
    assert [r["name"] for r in plan["relations"]] == ["CATEGORY"]
    lines = recsys("train", "--dry-run", "--no-graph").out.splitlines()
    assert [line.split() for line in lines] == [["Query", "40"], ["Item", "16"], ["Anchor", "4"], ["pairs", "80"]]
    assert "relation   CATEGORY (Item → Anchor)" in recsys("train", "--dry-run").out
    assert not (workspace / "runs").exists()


def test_json_stands_alone_on_stdout(recsys, clicked: Graph, workspace: Path, tiny_encoder: Path):
    """Programs get the run, its place and its figures, while people see progress on stderr."""
    done = recsys("train", "--json", *quick(tiny_encoder))
    assert done.code == 0, done.err
    result = done.json()
    run = find_run(workspace / "runs")
    assert (result["run"], result["path"]) == (run.name, str(run.path))
    assert result["chosen"] == run.metrics["chosen"]
    assert "history" not in result
    assert "held-out queries: P@1" in done.err


def test_people_get_a_table_and_the_next_command(recsys, clicked: Graph, tiny_encoder: Path):
    """Figures of plain and chosen vectors, then what comes next."""
    done = recsys("train", *quick(tiny_encoder))
    lines = done.out.splitlines()
    assert lines[0].startswith("run ")
    assert lines[2].split() == ["item", "vectors", "P@1", "P@5", "nDCG@5", "PSP@5", "R@10", "R@100"]
    assert [line.split()[0] for line in lines[3:5]] == ["plain", "chosen"]
    assert lines[-1] == "next: recsys publish"


def test_an_unknown_relation_is_a_usage_error(recsys, clicked: Graph, tiny_encoder: Path):
    """The exit code is 2, with the relations there are."""
    done = recsys("train", "--relation", "BRAND", *quick(tiny_encoder))
    assert (done.code, done.out) == (2, "")
    assert "no relation 'BRAND' (known: CATEGORY)" in done.err


def test_an_empty_graph_is_a_failure(recsys, graph: Graph, tiny_encoder: Path):
    """The exit code is 1, with the command that brings clicks in."""
    for flags in (("--dry-run",), quick(tiny_encoder)):
        done = recsys("train", *flags)
        assert (done.code, done.out) == (1, "")
        assert "run `recsys ingest clicks PATH` first" in done.err


def test_a_missing_encoder_is_a_failure(recsys, clicked: Graph, workspace: Path):
    """The exit code is 1, with what may be given instead, and nothing is left behind."""
    done = recsys("train", "--encoder", "nobody/has-this", "--json")
    assert (done.code, done.out) == (1, "")
    assert "encoder 'nobody/has-this' cannot be loaded" in done.err
    assert "give --encoder static" in done.err
    assert not (workspace / "runs").exists()


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (("--epochs", "0"), "train.epochs = 0 is not allowed"),
        (("--graph-weight", "-1"), "train.graph_weight = -1.0 is not allowed"),
        (("--encoder", ""), "train.encoder = '' is not allowed"),
        (("--relation", ""), "a relation name is not empty"),
        (("--seed", "x"), "'x' is not a valid integer"),
    ],
)
def test_wrong_values_are_usage_errors(recsys, flags: tuple[str, ...], complaint: str):
    """The value is named and the exit code is 2, before the graph is asked."""
    done = recsys("train", *flags)
    assert (done.code, done.out) == (2, "")
    assert complaint in done.err
