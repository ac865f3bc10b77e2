"""Publishing: the alias only ever points at a whole collection, and doing it again changes nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from qdrant_client.http.exceptions import ResponseHandlingException

from recsys.core.files import write_json
from recsys.serving import upload
from recsys.serving.alias import live_collection, roll_back
from recsys.serving.contents import Contents
from recsys.serving.lineage import collection_names, read_lineage
from recsys.serving.publication import AliasTakenError, CollectionTakenError, plan_publication
from recsys.serving.publish import IncompleteError, publish

KILLED_AT_SECOND_BATCH = """
import os, signal, sys
from pathlib import Path
from qdrant_client import QdrantClient
from recsys.core.run import Run
from recsys.core.settings import QdrantSettings
from recsys.serving import upload
from recsys.serving.client import connect
from recsys.serving.embedded import embedded_directory
from recsys.serving.publish import publish

workspace, run, alias, url = sys.argv[1:]
settings = QdrantSettings(alias=alias, url=url or None)
upload.BATCH = 16
sent = QdrantClient.upsert

def upsert(self, collection, points, **options):
    if 16 in points.ids:
        os.kill(os.getpid(), signal.SIGKILL)
    return sent(self, collection, points, **options)

QdrantClient.upsert = upsert
with connect(settings, Path(workspace)) as client:
    publish(client, Run(Path(run)), alias, embedded=embedded_directory(settings, Path(workspace)))
"""


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    """Make forty items three batches."""
    monkeypatch.setattr(upload, "BATCH", 16)


def broken_after(client, batches, monkeypatch):
    """Let ``client`` fail once it has sent this many batches; return the list of ids sent."""
    sent, upsert = [], client.upsert

    def send(collection, points):
        if len(sent) == batches:
            raise KeyboardInterrupt
        sent.append(points.ids)
        return upsert(collection, points)

    monkeypatch.setattr(client, "upsert", send)
    return sent


def test_a_published_collection_holds_the_run(shop):
    """Every item is a point with its vector and payload; the metadata names run, encoder and snapshot."""
    run = shop.run("a")
    table = run.items()
    with shop.connect() as client:
        done = publish(client, run, shop.alias, embedded=shop.embedded)
        points = client.retrieve(shop.alias, ids=list(range(40)), with_vectors=True)
        lineage = read_lineage(client, run.name)
    points.sort(key=lambda p: p.id)
    assert (done.uploaded, done.live_before, done.removed) == (40, None, ())
    np.testing.assert_allclose([p.vector for p in points], table.vectors, atol=1e-6)
    assert points[4].payload == {"id": "item-4", "title": table.texts[4], "clicks": 4, "brand": "b1"}
    assert lineage is not None
    assert {name: getattr(lineage, name) for name in ("run", "encoder_hash", "snapshot", "items", "width")} == {
        name: run.manifest[name] for name in ("run", "encoder_hash", "snapshot", "items", "width")
    }


def test_publishing_again_sends_nothing(shop, monkeypatch):
    """A whole collection is left as it is, and what was live before it is not forgotten."""
    first, second = shop.run("a"), shop.run("b", seed=1)
    with shop.connect() as client:
        publish(client, first, shop.alias, embedded=shop.embedded)
        publish(client, second, shop.alias, embedded=shop.embedded)
        sent = broken_after(client, 0, monkeypatch)
        again = publish(client, second, shop.alias, embedded=shop.embedded)
        assert (again.uploaded, again.is_new, again.removed, sent) == (0, False, (), [])
        assert roll_back(client, shop.alias).collection == first.name


@pytest.mark.parametrize("batches", [0, 1, 2])
def test_the_alias_never_points_at_a_part(shop, monkeypatch, batches):
    """Broken off at any batch, the old collection stays live; the next try sends only what is missing."""
    old, new = shop.run("old"), shop.run("new", seed=1)
    with shop.connect() as client:
        publish(client, old, shop.alias, embedded=shop.embedded)
        with monkeypatch.context() as patch:
            broken_after(client, batches, patch)
            with pytest.raises(KeyboardInterrupt):
                publish(client, new, shop.alias, embedded=shop.embedded)
        assert live_collection(client, shop.alias) == old.name
        done = publish(client, new, shop.alias, embedded=shop.embedded)
        assert done.uploaded == 40 - 16 * batches
        assert live_collection(client, shop.alias) == new.name
        assert client.count(shop.alias).count == 40


def test_a_kill_in_the_upload_is_made_good(shop):
    """After kill -9 nothing is live; publishing again keeps what had arrived."""
    run = shop.run("a")
    arguments = [str(shop.workspace), str(run.path), shop.alias, shop.qdrant.url or ""]
    killed = subprocess.run([sys.executable, "-c", KILLED_AT_SECOND_BATCH, *arguments], env=os.environ, check=False)
    assert killed.returncode == -signal.SIGKILL
    with shop.connect() as client:
        assert live_collection(client, shop.alias) is None
        assert publish(client, run, shop.alias, embedded=shop.embedded).uploaded == 24
        assert live_collection(client, shop.alias) == run.name


def test_a_count_that_does_not_match_is_not_made_live(shop, monkeypatch):
    """When Qdrant holds fewer points than the run has items after the upload, the alias stays."""
    run = shop.run("a")
    with shop.connect() as client:
        monkeypatch.setattr(client, "upsert", lambda *_: None)
        with pytest.raises(IncompleteError, match="0 points after the upload instead of 40"):
            publish(client, run, shop.alias, embedded=shop.embedded)
        assert live_collection(client, shop.alias) is None


def test_a_request_that_got_lost_is_sent_again(shop, monkeypatch):
    """A lost connection in the upload is retried rather than given up."""
    import stamina

    run = shop.run("a")
    with shop.connect() as client, stamina.set_testing(True, attempts=2):
        upsert, calls = client.upsert, []

        def flaky(collection, points):
            calls.append(collection)
            if len(calls) == 2:
                raise ResponseHandlingException(ConnectionError("gone"))
            return upsert(collection, points)

        monkeypatch.setattr(client, "upsert", flaky)
        publish(client, run, shop.alias, embedded=shop.embedded)
        assert (calls.count(run.name), client.count(shop.alias).count) == (4, 40)


def test_only_the_live_collection_and_the_one_before_stay(shop):
    """The third publication removes the first, and nothing that another alias or somebody else uses."""
    a, b, c = (shop.run(name, seed=seed) for seed, name in enumerate("abc"))
    foreign = f"{shop.alias}-foreign"
    with shop.connect() as client:
        client.create_collection(foreign, vectors_config={})
        publish(client, a, shop.alias, embedded=shop.embedded)
        publish(client, b, shop.alias, embedded=shop.embedded)
        done = publish(client, c, shop.alias, embedded=shop.embedded)
        assert done.removed == (a.name,)
        left = {n for n in collection_names(client) if n.startswith(shop.alias)}
        assert {n.removesuffix("-queries") for n in left} == {b.name, c.name, foreign}


def test_a_collection_under_another_alias_is_kept(shop):
    """What is published under two aliases outlives the first one's moves."""
    a, b, c = (shop.run(name, seed=seed) for seed, name in enumerate("abc"))
    with shop.connect() as client:
        publish(client, a, shop.alias, embedded=shop.embedded)
        publish(client, a, shop.alias + "-staging", embedded=shop.embedded)
        publish(client, b, shop.alias, embedded=shop.embedded)
        assert publish(client, c, shop.alias, embedded=shop.embedded).removed == ()
        assert live_collection(client, shop.alias + "-staging") == a.name


def test_a_plan_changes_nothing(shop):
    """The plan tells what publishing then does, and leaves Qdrant as it was."""
    run = shop.run("a")
    with shop.connect() as client:
        plan = plan_publication(client, Contents.of(run), shop.alias)
        assert run.name not in collection_names(client)
        done = publish(client, run, shop.alias, embedded=shop.embedded)
    assert (plan.is_new, plan.uploaded, plan.live_before) == (done.is_new, done.uploaded, done.live_before)


def test_a_name_that_is_taken_is_refused(shop):
    """A collection of the run's name that was made from something else is never touched."""
    run = shop.run("a")
    with shop.connect() as client:
        publish(client, run, shop.alias, embedded=shop.embedded)
        write_json(run.path / "manifest.json", {**run.manifest, "created_at": "2025-05-05"})
        with pytest.raises(CollectionTakenError, match="earlier run of that name"):
            publish(client, run, shop.alias, embedded=shop.embedded)
        foreign = shop.run("b")
        client.create_collection(foreign.name, vectors_config={})
        with pytest.raises(CollectionTakenError, match="something else"):
            publish(client, foreign, shop.alias, embedded=shop.embedded)
        with pytest.raises(AliasTakenError, match=r"qdrant\.alias"):
            publish(client, shop.run("c"), run.name, embedded=shop.embedded)
