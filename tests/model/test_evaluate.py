"""A run small enough to rank by hand, measured on the graph it came from."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest

from recsys.core.bonus import Bonus, widen_items, widen_queries
from recsys.core.files import write_json
from recsys.core.run import Run, Table, write_table
from recsys.model.evaluate import SYSTEMS, GraphChangedError, evaluate_run
from recsys.model.marks import SLICES
from recsys.model.task import build_task

QUERIES = ["red shoe", "blue lamp", "oak table"]
ITEMS = ["red", "lamp", "table", "wool scarf"]
CLICKS = [(0, 0), (1, 1), (2, 1)]
ONE_SEARCH = tuple(system for system in SYSTEMS if system != "recsys_votes")


@pytest.fixture
def run(tmp_path, tiny_encoder, graph):
    """Three queries and four items whose vectors are the encoder's own, in a run directory and in the graph."""
    from sentence_transformers import SentenceTransformer

    encoder = SentenceTransformer(str(tiny_encoder), device="cpu")
    path = tmp_path / "runs" / "r1"
    shutil.copytree(tiny_encoder, path / "encoder")
    sides = {"Query": ("queries", QUERIES, 0), "Item": ("items", ITEMS, 1)}
    for label, (name, texts, side) in sides.items():
        degree = np.bincount([pair[side] for pair in CLICKS], minlength=len(texts))
        ids = [f"{label}-{row}" for row in range(len(texts))]
        vectors = encoder.encode(texts, normalize_embeddings=True)
        write_table(path / f"{name}.parquet", Table(ids, texts, degree, degree, [{}] * len(texts), vectors))
        graph.write(
            f"UNWIND $rows AS r CREATE (:{label} {{row: r[0], id: r[1], text: r[2]}})",
            rows=[[row, ids[row], text] for row, text in enumerate(texts)],
        )
    graph.write(
        "UNWIND $pairs AS p MATCH (q:Query {row: p[0]}), (i:Item {row: p[1]}) CREATE (q)-[:CLICKED {clicks: 1}]->(i)",
        pairs=[list(pair) for pair in CLICKS],
    )
    write_json(path / "manifest.json", {"run": "r1"})
    return Run(path)


def evaluate(run, graph, log, **options):
    """Measure ``run`` on (query text, item id) pairs."""
    items = run.items()
    task = build_task([(text, text, item) for text, item in log], items)
    return evaluate_run(run, items, graph, task, **options)


def test_every_system_is_measured(run, graph):
    """The encoder finds each item by its text; popularity, titles and neighbours find what they can."""
    figures = evaluate(run, graph, [("wool scarf", "Item-3"), ("lamp", "Item-1")])
    assert tuple(figures) == ONE_SEARCH
    assert [figures[system]["P@1"] for system in ONE_SEARCH] == [100, 50, 100, 50]
    assert figures["recsys"]["R@100"] == 100
    assert figures["bm25_queries"]["R@100"] == 50


def test_cut_offs_are_those_asked_for(run, graph):
    """-k moves P, nDCG and PSP; recalls stay."""
    figures = evaluate(run, graph, [("lamp", "Item-1")], ks=(2, 200))["recsys"]
    assert [name for name in figures if name != "slices"] == [
        f"{name}@{k}" for name in ("P", "nDCG", "PSP") for k in (2, 200)
    ] + ["R@10", "R@100"]


def test_slices_share_out_all_pairs(run, graph):
    """Each pair is in one slice by the clicking queries of its item, an unknown item among the never clicked."""
    log = [("wool scarf", "Item-3"), ("lamp", "Item-1"), ("lamp", "nobody-knows")]
    slices = evaluate(run, graph, log)["recsys"]["slices"]
    assert {name: slices[name]["pairs"] for name in SLICES} == {"never": 2, "tail": 1, "torso": 0, "head": 0}
    assert slices["never"]["R@100"] == 50
    assert slices["tail"]["P@1"] == 100


def test_a_text_of_unknown_words_is_a_miss(run, graph):
    """The encoder's zero vector ranks nothing, and no figure turns into NaN."""
    figures = evaluate(run, graph, [("xyzzy", "Item-0")])
    assert figures["recsys"]["R@100"] == 0
    assert figures["popularity"]["R@100"] == 100


def test_clicks_after_the_run_are_not_seen(run, graph):
    """Nodes with later rows stay out of the baselines."""
    before = evaluate(run, graph, [("wool scarf", "Item-3")])
    graph.write(
        "MATCH (i:Item {row: 3}) CREATE (:Query {row: 3, id: 'late', text: 'wool scarf'})-[:CLICKED {clicks: 9}]->(i) "
        "CREATE (:Item {row: 4, id: 'later', text: 'wool scarf'})"
    )
    assert evaluate(run, graph, [("wool scarf", "Item-3")]) == before


@pytest.mark.parametrize("change", ["MATCH (q:Query {row: 2}) SET q.id = 'other'", "MATCH (i:Item) DETACH DELETE i"])
def test_another_graph_is_refused(run, graph, change):
    """A graph with other nodes in the run's rows gives an error, not baselines of something else."""
    graph.write(change)
    with pytest.raises(GraphChangedError, match="recsys train"):
        evaluate(run, graph, [("lamp", "Item-1")])


def test_votes_are_measured_beside_the_single_search(run, graph):
    """A run that chose votes finds the item that the nearest training query clicked, which its title hides."""
    queries = run.queries()
    payloads = [{"items": [item], "counts": [1]} for _, item in CLICKS]
    write_table(run.path / "queries.parquet", replace(queries, payloads=payloads))
    write_json(run.path / "manifest.json", {"run": "r1", "scoring": {"votes": 5.0}})
    figures = evaluate(run, graph, [("oak", "Item-1")])
    assert tuple(figures) == SYSTEMS
    assert figures["recsys_votes"]["P@1"] == 100
    assert figures["recsys"]["P@1"] == 0


def test_a_bonus_is_part_of_the_search(run, graph):
    """With vectors widened for a large bonus, the item that nobody clicked comes first whatever is asked."""
    items, queries = run.items(), run.queries()
    write_table(run.path / "items.parquet", replace(items, vectors=widen_items(items.vectors, items.degree)))
    write_table(run.path / "queries.parquet", replace(queries, vectors=widen_queries(queries.vectors, Bonus(3.0))))
    write_json(run.path / "manifest.json", {"run": "r1", "scoring": {"bonus": 3.0}})
    assert list(items.degree) == [1, 2, 0, 0]
    figures = evaluate(run, graph, [("wool scarf", "Item-3"), ("lamp", "Item-3")])
    assert figures["recsys"]["P@1"] >= 50
    assert figures["recsys"]["slices"]["never"]["R@10"] == 100
