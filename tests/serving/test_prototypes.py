"""Items with several vectors: published, searched exactly, explained and left out again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recsys.core.files import write_json
from recsys.core.prototypes import prototypes_of
from recsys.core.run import write_table
from recsys.core.scoring import Scoring
from recsys.serving import upload
from recsys.serving.alias import live_collection, roll_back
from recsys.serving.exact import best_rows
from recsys.serving.explain import explain
from recsys.serving.lineage import collection_names, read_lineage
from recsys.serving.publish import publish, rehearse
from recsys.serving.recommend import Recommender

WIDE = Scoring(bonus=0.05, popularity=0.02, prototypes=2)
BY_COSINE = Scoring(prototypes=3)
TEXTS = ["red table", "oak lamp", "wool", "blue chair"]


def exactly(run, scoring, asked, k=10):
    """Return the ids of the exact first ``k``."""
    items = run.items()
    beside = prototypes_of(run.queries(), len(items.ids), scoring)
    return [[items.ids[row] for row in rows] for rows in best_rows(np.stack(asked), items.vectors, k, beside)]


@pytest.mark.parametrize("scoring", [WIDE, BY_COSINE])
def test_points_hold_an_items_vectors_and_are_found_by_the_nearest(shop, with_golden, scoring):
    """The first vector is the item's own; search is exact, the gate passes, and nothing is sent twice."""
    run = with_golden(shop.run("a", scoring=scoring))
    beside = prototypes_of(run.queries(), 40, scoring)
    with shop.connect() as client:
        done = publish(client, run, shop.alias, embedded=shop.embedded)
        points = client.retrieve(run.name, list(range(40)), with_vectors=True)
        recommender = Recommender(client, shop.alias, shop.runs)
        vectors, _ = recommender.questions.vectors(TEXTS)
        found = [[hit.id for hit in answer.hits] for answer in recommender.by_text(TEXTS)]
        again = publish(client, run, shop.alias, embedded=shop.embedded)
    assert [check.passed for check in done.gate.checks] == [True, True, True, None]
    assert (done.prototypes, again.uploaded) == (scoring.prototypes, 0)
    for point in points:
        np.testing.assert_allclose(point.vector, beside.all_vectors(run.items().vectors, point.id), atol=1e-6)
        assert point.payload["prototypes"] == beside.queries_of(point.id).tolist()
    assert {len(point.vector) for point in points} == {1, *range(2, 2 + scoring.prototypes)}
    assert found == exactly(run, scoring, vectors)
    assert found != exactly(run, Scoring(), vectors)


def test_other_questions_are_asked_of_items_own_vectors(shop):
    """Items near an item, histories, diversity and filters work where items have several vectors."""
    run = shop.run("a", scoring=WIDE)
    with shop.connect() as client:
        publish(client, run, shop.alias, embedded=shop.embedded)
        recommender = Recommender(client, shop.alias, shop.runs, fallback=True)
        own = run.items().vectors[11]
        asked = np.append(own[:-2], [0, 0]).astype(np.float32)
        (near,) = exactly(run, WIDE, [asked], 11)
        assert [hit.id for hit in recommender.by_item("item-11").hits] == [id_ for id_ in near if id_ != "item-11"][:10]
        assert recommender.item("item-11").vector == pytest.approx(own[:-2], abs=1e-6)
        assert len(recommender.by_items(["item-1"], ["item-2"]).hits) == 10
        assert recommender.by_history(texts=["oak"], items=["item-3"]).origin.way == "vector"


def test_another_number_has_a_collection_of_its_own(shop, with_golden):
    """0 takes them away, more of them take the place of votes; what is live says so, and is rolled back from."""
    run = with_golden(shop.run("a", scoring=replace(WIDE, prototypes=0, votes=0.5, votes_bonus=0.1)))
    many = f"{run.name}-prototypes-2"
    with shop.connect() as client:
        publish(client, run, shop.alias, embedded=shop.embedded)
        rehearsed = rehearse(client, run, shop.alias, prototypes=2, tolerance=100)
        done = publish(client, run, shop.alias, embedded=shop.embedded, prototypes=2, tolerance=100)
        assert rehearsed.gate.figures == done.gate.figures
        assert {check.name: check.passed for check in done.gate.checks} == {
            "ids": True,
            "index": True,
            "recorded": None,
            "quality": True,
        }
        assert (done.collection, live_collection(client, shop.alias)) == (many, many)
        how = read_lineage(client, many).how
        assert (how.prototypes, how.votes, how.is_wide) == (2, 0, True)
        vectors, _ = (recommender := Recommender(client, shop.alias, shop.runs)).questions.vectors(TEXTS)
        found = [[hit.id for hit in answer.hits] for answer in recommender.by_text(TEXTS)]
        assert found == exactly(run, how, vectors)
        assert publish(client, run, shop.alias, embedded=shop.embedded, prototypes=2).uploaded == 0
        assert publish(client, run, shop.alias, embedded=shop.embedded).live_before == many
        assert roll_back(client, shop.alias).collection == many
        assert {run.name, many} <= collection_names(client)


def test_an_upload_that_stopped_goes_on(shop, monkeypatch):
    """Fewer points come in a request where they have more vectors, and only what is missing is sent again."""
    monkeypatch.setattr(upload, "BATCH", 16)
    run, sent = shop.run("a", scoring=replace(WIDE, prototypes=3)), []
    with shop.connect() as client:
        with monkeypatch.context() as patch:
            upsert = client.upsert

            def send(collection, points):
                if len(sent) == 3:
                    raise KeyboardInterrupt
                sent.append(points.ids)
                return upsert(collection, points)

            patch.setattr(client, "upsert", send)
            with pytest.raises(KeyboardInterrupt):
                publish(client, run, shop.alias, embedded=shop.embedded)
        assert sent == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
        assert publish(client, run, shop.alias, embedded=shop.embedded).uploaded == 28


def by_hand(shop):
    """Write a run of one item, (1, 0, …), that a query (0.6, 0.8, …) clicked three times; E(red) is the first axis."""
    run = shop.run("hand", scoring=Scoring(prototypes=1))
    from sentence_transformers import SentenceTransformer

    red, blue = SentenceTransformer(str(run.encoder_path)).encode(["red", "blue"])
    across = blue - (blue @ red) * red
    clicker = 0.6 * red + 0.8 * across / np.linalg.norm(across)
    one, items, queries = np.ones(1, np.int64), run.items(), run.queries()
    item = replace(items, ids=["z"], texts=["red"], clicks=one, degree=one, payloads=[{}], vectors=red[None])
    write_table(run.path / "items.parquet", replace(item, lengths=np.ones(1, np.float32)))
    known = replace(queries, ids=["q"], texts=["crimson"], clicks=3 * one, degree=one)
    known = replace(known, payloads=[{"items": [0], "counts": [3]}], vectors=clicker[None].astype(np.float32))
    write_table(run.path / "queries.parquet", known)
    write_json(run.path / "manifest.json", {**run.manifest, "items": 1, "queries": 1})
    return run


def test_the_nearest_vector_is_taken_apart(shop):
    """(1, 0) + 0.25 · (0.6, 0.8) has length 1.167262; asked (0.6, 0.8), its title gives 0.514023, it 0.214177."""
    run = by_hand(shop)
    with shop.connect() as client:
        publish(client, run, shop.alias, embedded=shop.embedded, force="no golden queries")
        recommender = Recommender(client, shop.alias, shop.runs)
        itself = explain(recommender, None, "q", "z", by_id=True)
        (hit,) = recommender.by_query_id("q").hits
        title = explain(recommender, None, "red", "z")
    assert itself.score == pytest.approx(0.514023 + 0.214177, abs=1e-5)
    assert itself.score == pytest.approx(hit.score, abs=1e-5)
    shares = {reason.kind: reason.share for reason in itself.reasons}
    assert shares == {"title": pytest.approx(0.514023, abs=1e-5), "clicked": pytest.approx(0.214177, abs=1e-5)}
    (clicked,) = [reason for reason in itself.reasons if reason.kind == "clicked"]
    assert clicked.says == (
        "This very query led to 3 clicks on it. Of the item's vectors, the one drawn towards it is the nearest."
    )
    # to its own title the item's own vector is the nearest
    assert [(reason.kind, reason.share) for reason in title.reasons if reason.share] == [("title", pytest.approx(1))]
    assert not any("drawn" in reason.says for reason in title.reasons)
