"""Explanations: parts that add up to the score, and paths that are there."""

from __future__ import annotations

import re
from dataclasses import asdict, replace
from itertools import product

import numpy as np
import pytest

from recsys.core.composition import PLAIN, Composition
from recsys.core.files import write_json
from recsys.core.run import write_table
from recsys.core.scoring import Scoring
from recsys.core.settings import TrainSettings
from recsys.graph import between
from recsys.graph.relations import Relation, register
from recsys.model.data import read_data
from recsys.model.encoder import load_encoder
from recsys.model.held_out_evaluator import encode_all
from recsys.model.snapshot import take_snapshot
from recsys.model.write_run import Outcome, write_run
from recsys.serving import explain as explaining
from recsys.serving.explain import explain
from recsys.serving.publish import publish
from recsys.serving.recommend import Recommender
from recsys.serving.recommendation import UnknownIdError

COMPOSED = Composition(2.0, 1.0)
BOTH = Scoring(bonus=0.1, votes=0.6, votes_bonus=0.4, votes_popularity=0.12)
LEARNT = Composition(2.0, 1.0, residual=True)
WAYS = [
    (LEARNT, BOTH),
    (Composition(0.0, 1.0, residual=True), Scoring()),
    (PLAIN, Scoring()),
    (COMPOSED, Scoring()),
    (COMPOSED, Scoring(bonus=0.2)),
    (COMPOSED, BOTH),
    (PLAIN, BOTH),
    (PLAIN, Scoring(prototypes=2)),
    (Composition(2.0, 1.0, residual=True, anchors=0.5), BOTH),
    (Composition(0.0, 0.0, anchors=0.25), Scoring()),
    (Composition(2.0, 1.0, borrowed=1.0), BOTH),
    (LEARNT, Scoring(bonus=0.1, popularity=0.3, prototypes=2)),
]


def run_of(graph, shop, tiny_encoder, composition, scoring, name="a"):
    """Write a run of the graph with an encoder that was not trained."""
    shop.runs.mkdir(parents=True, exist_ok=True)
    data = read_data(graph, take_snapshot(graph), shop.workspace, 0)
    model = load_encoder(str(tiny_encoder), 32)
    encoded = encode_all(model, data.texts, 16)
    if composition.anchors:
        encoded = replace(encoded, anchors=np.roll(encoded.items, 1, axis=0))
    outcome = Outcome(model, data, encoded, composition, scoring, TrainSettings(encoder=str(tiny_encoder)))
    return write_run(outcome, {"held_out_queries": 0}, shop.runs, f"{shop.alias}-{name}")


@pytest.fixture
def ask(clicked_graph, shop, tiny_encoder):
    """Publish a run of the graph and return its recommender."""
    with shop.connect() as client:

        def published(composition, scoring, name="a"):
            run = run_of(clicked_graph, shop, tiny_encoder, composition, scoring, name)
            publish(client, run, shop.alias, embedded=shop.embedded)
            return Recommender(client, shop.alias, shop.runs)

        yield published


def total(explanation):
    """Sum the shares."""
    return sum(reason.share for reason in explanation.reasons if reason.share is not None)


def reasons(explanation, kind):
    """Return the reasons of a kind."""
    return [reason for reason in explanation.reasons if reason.kind == kind]


def by_hand(shop, scoring):
    """Write a run of one item and two queries, one of which clicked it, whose score can be worked out by hand."""
    run = shop.run("hand", scoring=scoring)
    from sentence_transformers import SentenceTransformer

    red, blue = SentenceTransformer(str(run.encoder_path)).encode(["red", "blue"])
    across = blue - (blue @ red) * red
    asked, clicker = red, 0.6 * red + 0.8 * across / np.linalg.norm(across)
    summed = red + clicker  # a = α · n/(n+c) = 2 · 1/2
    length = np.float32(np.linalg.norm(summed))
    ones, items, queries = np.ones(1, np.int64), run.items(), run.queries()
    item = replace(
        items, ids=["z"], texts=["red"], clicks=ones, degree=ones, payloads=[{}], vectors=summed[None] / length
    )
    write_table(run.path / "items.parquet", replace(item, lengths=np.array([length])))
    payloads = [{"items": [], "counts": []}, {"items": [0], "counts": [3]}]
    degree, vectors = np.array([0, 1]), np.stack([asked, clicker]).astype(np.float32)
    known = replace(queries, ids=["x", "q"], texts=["scarlet", "crimson"], clicks=3 * degree, degree=degree)
    write_table(run.path / "queries.parquet", replace(known, payloads=payloads, vectors=vectors))
    composition = {"alpha": 2.0, "evidence": 1.0}
    write_json(run.path / "manifest.json", {**run.manifest, "items": 1, "queries": 2, "composition": composition})
    return run


def test_what_was_learnt_for_the_item_is_told_from_its_title(shop):
    """Where E(z) + w has length 2, half of 0.559017 is the title's, and as much is left for what was learnt."""
    run = by_hand(shop, Scoring(votes=0.5))
    composition = {**run.manifest["composition"], "residual": True}
    write_json(run.path / "manifest.json", {**run.manifest, "composition": composition})
    write_table(run.path / "items.parquet", replace(run.items(), text_lengths=np.array([2], np.float32)))
    with shop.connect() as client:
        publish(client, run, shop.alias, embedded=shop.embedded, force="no golden queries")
        found = explain(Recommender(client, shop.alias, shop.runs), None, "x", "z", by_id=True)
    (title,), (learnt,), (query,) = (reasons(found, kind) for kind in ("title", "other_queries", "similar_query"))
    assert title.share == pytest.approx(0.279509, abs=1e-5)
    assert learnt.share == pytest.approx(0.279509, abs=1e-5)
    assert learnt.says.startswith("What it learnt from all of its clicks")
    assert query.share == pytest.approx(0.835410, abs=1e-5)


@pytest.mark.parametrize("votes", [0.0, 0.5])
def test_shares_are_those_worked_out_by_hand(shop, votes):
    """With x·E(z) = 1, x·E(q) = 0.6 and L = √3.2: 0.559017 by the title, 0.335410 by the query, and its whole vote."""
    run = by_hand(shop, Scoring(votes=votes))
    with shop.connect() as client:
        publish(client, run, shop.alias, embedded=shop.embedded, force="no golden queries")
        recommender = Recommender(client, shop.alias, shop.runs)
        found = explain(recommender, None, "x", "z", by_id=True)
    assert found.score == pytest.approx(0.894427 + votes, abs=1e-5)
    (title,) = reasons(found, "title")
    assert title.share == pytest.approx(0.559017, abs=1e-5)
    if votes or not shop.embedded:  # on a server the training queries are always there
        (query,) = reasons(found, "similar_query")
        assert (query.share, query.votes) == (pytest.approx(0.335410 + votes, abs=1e-5), pytest.approx(votes))
        assert [(node.id, node.relation) for node in query.path] == [("q", "like"), ("z", "CLICKED")]
        assert "(0.60), 'crimson', led to 3 clicks" in query.says
    else:  # without the graph nobody says which query clicked it
        (others,) = reasons(found, "other_queries")
        assert others.share == pytest.approx(0.335410, abs=1e-5)
        assert others.says.startswith("1 other query ")
        assert (found.linked, found.says) == (False, "No path links them. The graph was not asked.")


@pytest.mark.parametrize(("composition", "scoring"), WAYS)
def test_shares_add_up_to_what_recommend_gives(clicked_graph, ask, composition, scoring):
    """For every query, known or not, and every item: one score, and the same as the recommender's."""
    recommender = ask(composition, scoring)
    for text in ("red", "oak table", "wool scarf"):
        scores = {hit.id: hit.score for hit in recommender.by_text([text])[0].hits}
        assert len(scores) == 5
        for item, score in scores.items():
            found = explain(recommender, clicked_graph, text, item)
            assert found.score == pytest.approx(score, abs=1e-5)
            assert total(found) == pytest.approx(score, abs=1e-5)
            assert (found.query_id is None) == (text == "wool scarf")


def test_every_path_of_the_graph_is_named(clicked_graph, ask):
    """Its own clicks, a query of the session, a shared anchor and items clicked together, each with its way."""
    clicked_graph.write("MATCH (a:Item {id: 'i2'}), (b:Item {id: 'i1'}) CREATE (a)-[:CO_CLICKED {weight: 0.5}]->(b)")
    register(clicked_graph, [Relation("CO_CLICKED", "Item", "Item", "derived")])
    found = explain(ask(COMPOSED, BOTH), clicked_graph, "red", "i1")
    (clicked,), (session,), (anchor,), (co_click,) = (
        reasons(found, kind) for kind in ("clicked", "session", "anchor", "co_click")
    )
    assert clicked.share > clicked.votes > 0
    assert clicked.says == "This very query led to 6 clicks on it."
    assert [node.id for node in session.path] == ["q2", "i1"]
    assert [(node.id, node.relation) for node in anchor.path] == [("a1", "HAS_TAG"), ("i1", "HAS_TAG")]
    assert anchor.says == "Both are linked to 'Shoes' (HAS_TAG)."
    assert [node.id for node in co_click.path] == ["i2", "i1"]
    assert {session.share, anchor.share, co_click.share} == {None}
    assert found.linked


def test_without_a_path_it_says_so(clicked_graph, ask):
    """An item that nobody clicked has its title and its bonus, and a text that means nothing has no score."""
    recommender = ask(COMPOSED, BOTH)
    found = explain(recommender, clicked_graph, "wool scarf", "i5")
    assert {reason.kind for reason in found.reasons} == {"title", "new_item"}
    assert reasons(found, "new_item")[0].share == pytest.approx(0.4, abs=1e-5)
    assert (found.linked, found.says) == (False, "No path links them.")
    nothing = explain(recommender, clicked_graph, "xyzzy", "i1")
    assert (nothing.score, nothing.reasons, nothing.linked) == (None, (), False)
    assert "knows no word" in nothing.says


def test_clicks_after_the_run_are_a_path_without_a_share(clicked_graph, ask):
    """What people clicked since is told, and the score stays that of the vectors."""
    recommender = ask(COMPOSED, Scoring())
    before = explain(recommender, clicked_graph, "red", "i3")
    clicked_graph.write("MATCH (q:Query {id: 'q1'}), (i:Item {id: 'i3'}) CREATE (q)-[:CLICKED {clicks: 2}]->(i)")
    after = explain(recommender, clicked_graph, "red", "i3")
    assert after.score == before.score
    (clicked,) = reasons(after, "clicked")
    assert clicked.share is None
    assert clicked.says.startswith("This very query led to 2 clicks")
    assert total(after) == pytest.approx(after.score, abs=1e-5)


def test_a_hub_is_one_summand_beside_a_few(clicked_graph, ask, monkeypatch):
    """Of 60 clicking queries a few are looked at, and the rest is counted and weighed as a whole."""
    texts = [f"{a} {b} {c}" for a, b, c in product(("red", "oak"), ("lamp", "wool", "shoe"), range(10))]
    clicked_graph.write(
        "MATCH (i:Item {id: 'i5'}) MATCH (c:RowCounter {label: 'Query'}) SET c.next = 64 "
        "WITH i UNWIND range(0, 59) AS k "
        "CREATE (:Query {id: 'h' + k, text: $texts[k], row: 4 + k})-[:CLICKED {clicks: 1 + k}]->(i)",
        texts=texts,
    )
    recommender = ask(COMPOSED, BOTH)
    monkeypatch.setattr(between, "EDGES", 20)
    monkeypatch.setattr(explaining, "CLICKERS", 10)
    found = explain(recommender, clicked_graph, "red lamp", "i5", shown=3)
    assert len(reasons(found, "similar_query")) == 3
    (others,) = reasons(found, "other_queries")
    assert re.match(r"57 other queries led to clicks on it, (4[0-7]) of them among the most like this one", others.says)
    assert others.share > others.votes > 0
    assert total(found) == pytest.approx(found.score, abs=1e-5)


def test_a_run_without_lengths_keeps_its_vectors_whole(clicked_graph, ask, shop):
    """What an older run cannot take apart is one reason, and votes are still told."""
    recommender = ask(COMPOSED, BOTH)
    path = shop.runs / recommender.lineage.run / "items.parquet"
    write_table(path, replace(recommender.questions.run.items(), lengths=None))
    again = Recommender(recommender._client, shop.alias, shop.runs)
    found = explain(again, clicked_graph, "red", "i1")
    assert "recsys embed" in reasons(found, "vector")[0].says
    assert not reasons(found, "title")
    assert reasons(found, "clicked")[0].share == reasons(found, "clicked")[0].votes > 0
    assert total(found) == pytest.approx(found.score, abs=1e-5)


def test_what_is_unknown_is_refused(clicked_graph, ask):
    """An item or a query id that the run does not have is no explanation; the answer is made of plain values."""
    recommender = ask(PLAIN, Scoring())
    for query, item in (("q1", "i9"), ("q9", "i1")):
        with pytest.raises(UnknownIdError):
            explain(recommender, clicked_graph, query, item, by_id=True)
    assert asdict(explain(recommender, None, "q1", "i1", by_id=True))["query_id"] == "q1"
