"""Recommending: exact neighbours of the right vector, from the encoder that made the collection or not at all."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from recsys.core.files import write_json
from recsys.serving import questions
from recsys.serving.alias import NothingPublishedError, roll_back
from recsys.serving.encoder import EncoderMismatchError
from recsys.serving.publish import publish
from recsys.serving.recommend import Recommender
from recsys.serving.recommendation import LiveRunMissingError, UnknownIdError


@pytest.fixture
def live(shop):
    """A shop with one published run: (run, recommender)."""
    run = shop.run("a")
    with shop.connect() as client:
        publish(client, run, shop.alias, embedded=shop.embedded)
        yield run, Recommender(client, shop.alias, shop.runs)


def nearest(run, vector, k, without=()):
    """Return ids and scores of the k nearest items by brute force."""
    table = run.items()
    scores = table.vectors @ (vector / np.linalg.norm(vector))
    order = [row for row in np.argsort(-scores) if table.ids[row] not in without][:k]
    return [table.ids[row] for row in order], scores[order]


def same(result, expected):
    """Compare a result with :func:`nearest`."""
    ids, scores = expected
    np.testing.assert_allclose([hit.score for hit in result.hits], scores, atol=1e-5)
    return [hit.id for hit in result.hits] == ids and [hit.rank for hit in result.hits] == [*range(1, len(ids) + 1)]


def test_a_text_gets_the_nearest_items_of_its_encoding(live):
    """New texts are encoded with the run's encoder; each gets its own brute-force neighbours."""
    from sentence_transformers import SentenceTransformer

    run, recommender = live
    texts = ["red wool scarf", "oak table"]
    encoded = SentenceTransformer(str(run.encoder_path)).encode(texts)
    results = recommender.by_text(texts, k=7)
    assert [(r.query, r.known, r.matched) for r in results] == [(text, False, True) for text in texts]
    assert all(same(result, nearest(run, vector, 7)) for result, vector in zip(results, encoded, strict=True))


def test_a_known_text_is_not_encoded(live, monkeypatch):
    """A training query, in any spelling with the same normal form, uses its stored vector; no encoder is loaded."""
    run, recommender = live
    monkeypatch.setattr(questions, "encode_with", None)
    queries = run.queries()
    (result,) = recommender.by_text([f"  {queries.texts[5].upper()} "])
    assert result.known
    assert same(result, nearest(run, queries.vectors[5], 10))


def test_a_query_id_uses_the_stored_vector(live, monkeypatch):
    """Known queries need no encoder."""
    run, recommender = live
    monkeypatch.setattr(questions, "encode_with", None)
    for row in (0, 11):
        assert same(recommender.by_query_id(f"query-{row}", k=3), nearest(run, run.queries().vectors[row], 3))


def test_an_item_is_not_recommended_for_itself(live):
    """The neighbours of an item are the nearest others."""
    run, recommender = live
    assert same(recommender.by_item("item-3", k=5), nearest(run, run.items().vectors[3], 5, without={"item-3"}))


def test_more_than_there_is_gives_all(live):
    """A k above the number of items returns every item once."""
    _, recommender = live
    assert len({hit.id for hit in recommender.by_query_id("query-0", k=1000).hits}) == 40


def test_a_text_of_unknown_words_matches_nothing(live):
    """A zero vector is as near to everything, so it says so instead of naming items; other texts are unaffected."""
    _, recommender = live
    unknown, blank, known = recommender.by_text(["xyzzy", "  ", "red"])
    assert (unknown.matched, unknown.hits, blank.matched, blank.hits) == (False, (), False, ())
    assert len(known.hits) == 10


@pytest.mark.parametrize(
    ("ask", "wrong", "right"), [("by_query_id", "query-1x", "query-1"), ("by_item", "itm-3", "item-3")]
)
def test_an_unknown_id_names_close_ones(live, ask, wrong, right):
    """A mistyped id is answered with the ids it may have meant."""
    _, recommender = live
    with pytest.raises(UnknownIdError) as caught:
        getattr(recommender, ask)(wrong)
    assert right in caught.value.close


def test_the_wrong_encoder_is_refused(live, shop):
    """One changed byte in the encoder, or a manifest that names another, and no text is encoded."""
    run, recommender = live
    tokenizer = next(run.encoder_path.rglob("tokenizer.json"))
    tokenizer.write_text(tokenizer.read_text() + " ")
    with pytest.raises(EncoderMismatchError, match="recsys publish"):
        recommender.by_text(["red"])
    write_json(run.path / "manifest.json", {**run.manifest, "encoder_hash": "0" * 64})
    again = Recommender(recommender._client, shop.alias, shop.runs)
    with pytest.raises(EncoderMismatchError):
        again.by_query_id("query-0")


def test_items_need_no_run_directory(live, shop):
    """Where the run is gone, items still get the same answer, and texts say which run is missing."""
    run, recommender = live
    expected = nearest(run, run.items().vectors[0], 10, without={"item-0"})
    shutil.rmtree(run.path)
    assert same(recommender.by_item("item-0"), expected)
    with pytest.raises(LiveRunMissingError, match=run.name):
        recommender.by_text(["red"])
    with pytest.raises(UnknownIdError, match="none is close"):
        recommender.by_item("item-x")


def test_a_recommender_stays_with_its_collection(live, shop):
    """When the alias moves on, queries and items still come from one encoder."""
    run, recommender = live
    expected = nearest(run, run.queries().vectors[0], 10)
    client = recommender._client
    publish(client, shop.run("b", seed=9), shop.alias, embedded=shop.embedded)
    assert same(recommender.by_query_id("query-0"), expected)
    moved = Recommender(client, shop.alias, shop.runs)
    assert (recommender.collection, moved.collection) == (run.name, f"{shop.alias}-b")
    roll_back(client, shop.alias)
    assert same(Recommender(client, shop.alias, shop.runs).by_query_id("query-0"), expected)


def test_nothing_published_says_so(shop):
    """Without an alias the next command is named."""
    with shop.connect() as client, pytest.raises(NothingPublishedError, match="recsys publish"):
        Recommender(client, shop.alias, shop.runs)
