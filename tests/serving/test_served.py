"""Following the alias: no request is dropped, and no answer has a query of one run and items of another."""

from __future__ import annotations

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from recsys.core.files import hash_tree, write_json
from recsys.serving.alias import NothingPublishedError, roll_back, switch
from recsys.serving.qdrant_errors import CollectionGoneError
from recsys.serving.recommend import Recommender
from recsys.serving.served import Follower


@pytest.fixture
def turned():
    """Give a run an encoder of its own, whose vectors point elsewhere."""

    def turn(run):
        from sentence_transformers import SentenceTransformer

        model = SentenceTransformer(str(run.encoder_path), device="cpu")
        weights = model[0].embedding.weight.data
        weights.copy_(weights.flip(1))
        shutil.rmtree(run.encoder_path)
        model.save(str(run.encoder_path))
        write_json(run.path / "manifest.json", {**run.manifest, "encoder_hash": hash_tree(run.encoder_path)})
        return run

    return turn


def expected(served, k=5):
    """Return what the live collection answers, alone and in peace."""
    (result,) = Recommender(served.qdrant, served.shop.alias, served.shop.runs).by_text(["red lamp"], k)
    return [hit.id for hit in result.hits]


def test_the_alias_moves_under_load(serving, shop, turned):
    """While six threads ask without a pause, each answer is whole: 200, and exactly that of the collection it names."""
    served = serving()
    right, stop, answers = {served.run.name: expected(served)}, threading.Event(), []

    def keep_asking():
        while not stop.is_set():
            answers.append(served.http.get("/recommend", params={"text": "red lamp", "k": 5}))

    with ThreadPoolExecutor(6) as pool:
        asking = [pool.submit(keep_asking) for _ in range(6)]
        try:
            for name in "bcd":
                run = turned(shop.run(name, seed=ord(name)))
                served.publish(run)
                right[run.name] = expected(served)
                seen = len(answers)
                while len(answers) < seen + 20:  # answers come from the next collection too
                    assert not any(task.done() for task in asking)
        finally:
            stop.set()
        for task in asking:
            task.result()
    assert served.follower.moves == 3
    assert {answer.status_code for answer in answers} == {200}
    told = [answer.json() for answer in answers]
    for answer in told:
        assert [hit["id"] for hit in answer["results"][0]["hits"]] == right[answer["collection"]]
        assert answer["lineage"]["run"] == answer["collection"]
    assert {answer["collection"] for answer in told} == right.keys()


def test_back_is_a_move_too(serving, shop):
    """A rollback is followed as a publication is."""
    served = serving()
    served.publish(shop.run("b", seed=1))
    roll_back(served.qdrant, shop.alias)
    served.follower.tick()
    assert served.http.get("/readyz").json()["collection"] == served.run.name
    assert "recsys_reloads_total 2.0" in served.http.get("/metrics").text


def test_a_run_that_is_not_here_is_not_followed(serving, shop):
    """Where the next run's directory is missing the present one answers on, and probes and metrics say why."""
    served = serving()
    gone = shop.run("b", seed=1)
    served.publish(gone)
    assert served.follower.moves == 1
    roll_back(served.qdrant, shop.alias)
    served.follower.tick()
    shutil.rmtree(gone.path)
    switch(served.qdrant, shop.alias, gone.name)
    served.follower.tick()
    ready = served.http.get("/readyz")
    assert (ready.status_code, ready.json()["collection"]) == (200, served.run.name)
    assert gone.name in ready.json()["trouble"]
    assert served.http.get("/recommend", params={"text": "red"}).json()["collection"] == served.run.name
    assert "recsys_reload_failures_total 1.0" in served.http.get("/metrics").text


def test_a_collection_deleted_meanwhile_costs_no_request(serving, shop):
    """A request that finds its collection gone is put to the one that the alias points at by then."""
    served = serving()
    follower = served.follower
    follower.tick = lambda: None  # the move goes unnoticed
    served.publish(shop.run("b", seed=1))
    served.qdrant.delete_collection(served.run.name)
    answer = served.http.get("/recommend", params={"text": "red lamp"})
    assert answer.status_code == 200
    assert answer.json()["collection"] == f"{shop.alias}-b"
    served.qdrant.delete_collection(f"{shop.alias}-b")
    with pytest.raises((CollectionGoneError, NothingPublishedError)):
        follower.ask(lambda live: live.recommender.by_text(["red lamp"]))


def test_nothing_published_is_said_at_the_start(shop):
    """There is nothing to serve before the first publication."""
    with shop.connect() as client, pytest.raises(NothingPublishedError):
        Follower(client, shop.qdrant, shop.runs)
