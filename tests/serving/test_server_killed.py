"""A server that dies while a run is published, and comes back."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from qdrant_client import QdrantClient

from recsys.core.settings import QdrantSettings, Settings
from recsys.serving import upload
from recsys.serving.alias import live_collection
from recsys.serving.client import connect
from recsys.serving.publish import publish
from recsys.serving.qdrant_errors import QdrantRefusedError, QdrantUnreachableError
from recsys.serving.server import start, stop
from recsys.serving.server_home import with_managed_qdrant

pytestmark = pytest.mark.parametrize("shop", ["embedded"], indirect=True)  # its runs; the server is one of our own
STAND_IN = Path(__file__).with_name("embedded_server.py")


@pytest.fixture
def managed(shop, tmp_path: Path) -> Iterator[Settings]:
    """Settings of a managed server: of Qdrant's program where there is one, else of embedded Qdrant behind HTTP."""
    program = os.environ.get("RECSYS_TEST_QDRANT_BINARY") or shutil.which("qdrant")
    if program is None:
        program = str(tmp_path / "stand-in")
        Path(program).write_text(f'#!/bin/sh\nexec {sys.executable} {STAND_IN} "$@"\n')
        Path(program).chmod(0o755)
    settings = Settings(workspace=shop.workspace, qdrant=QdrantSettings(binary=program, alias=shop.alias))
    start(shop.workspace, settings.qdrant)
    yield with_managed_qdrant(settings)
    stop(shop.workspace)


def test_a_killed_server_that_comes_back_gets_the_rest(shop, managed: Settings, monkeypatch: pytest.MonkeyPatch):
    """What it had confirmed outlives kill -9; the old run stays live, and publishing again sends what is missing."""
    monkeypatch.setattr(upload, "BATCH", 16)
    old, new = shop.run("old"), shop.run("new", seed=1)
    with connect(managed.qdrant, shop.workspace) as client:
        publish(client, old, shop.alias, embedded=None)
    process = psutil.Process(start(shop.workspace, managed.qdrant).pid)
    with (
        pytest.raises(QdrantUnreachableError, match="run the same command again"),
        connect(managed.qdrant, shop.workspace) as client,
    ):
        publish(killing(process, client, monkeypatch), new, shop.alias, embedded=None)
    start(shop.workspace, managed.qdrant)
    with connect(managed.qdrant, shop.workspace) as client:
        assert live_collection(client, shop.alias) == old.name
        assert publish(client, new, shop.alias, embedded=None).uploaded == 8
        assert live_collection(client, shop.alias) == new.name


def killing(process: psutil.Process, client: QdrantClient, monkeypatch: pytest.MonkeyPatch) -> QdrantClient:
    """Let the server die before the third batch."""
    sent, upsert = [], client.upsert

    def die(collection: str, points: object) -> None:
        if len(sent) == 2:
            process.kill()
        sent.append(points)
        upsert(collection, points)

    monkeypatch.setattr(client, "upsert", die)
    return client


def test_a_wrong_key_is_refused(shop, managed: Settings):
    """The error names the setting of the key."""
    wrong = managed.qdrant.model_validate({**managed.qdrant.model_dump(), "api_key": "wrong"})
    with (
        pytest.raises(QdrantRefusedError, match="RECSYS_QDRANT__API_KEY"),
        connect(wrong, shop.workspace) as client,
    ):
        publish(client, shop.run("a"), shop.alias, embedded=None)
