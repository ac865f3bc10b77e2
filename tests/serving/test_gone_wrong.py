"""What goes wrong on the way to a server, shown on servers that misbehave on purpose."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest

from recsys.core.run import write_table
from recsys.core.settings import QdrantSettings
from recsys.serving import upload
from recsys.serving.alias import live_collection
from recsys.serving.client import connect
from recsys.serving.lineage import collection_names
from recsys.serving.publish import RunDamagedError, publish
from recsys.serving.qdrant_errors import QdrantSlowError, QdrantUnreachableError
from tests.serving.http_stub import as_qdrant, serving

Answer = Callable[[str, str], object]
"From method and path to the ``result`` of Qdrant's answer; None hangs up."


def qdrant_like(answer: Answer) -> AbstractContextManager[str]:
    """Serve a scripted Qdrant on a free loopback port."""
    return serving(lambda method, path: as_qdrant(path, answer(method, path)))


def dying_after(batches: int, sent: list[str]) -> Answer:
    """Return a Qdrant without collections that takes so many batches of points and then hangs up."""

    def answer(method: str, path: str) -> object:
        if path == "/":
            return {"title": "qdrant", "version": "1.20.0"}
        if path.endswith("/points") and method == "PUT":
            sent.append(path)
            return None if len(sent) > batches else {"operation_id": len(sent), "status": "completed"}
        if path.endswith("/points/scroll"):
            return {"points": [], "next_page_offset": None}
        if path.endswith("/index"):
            return {"operation_id": 0, "status": "completed"}
        return {"/aliases": {"aliases": []}, "/collections": {"collections": []}}.get(path, True)

    return answer


def test_a_server_that_dies_while_points_are_sent(shop, monkeypatch):
    """Batches are tried again for a while; then the command ends with what to do, and without a switch of the alias."""
    monkeypatch.setattr(upload, "BATCH", 16)
    run, sent = shop.run("a"), []
    with (
        qdrant_like(dying_after(1, sent)) as url,
        pytest.raises(QdrantUnreachableError, match="run the same command again") as caught,
        connect(QdrantSettings(url=url), shop.workspace) as client,
    ):
        publish(client, run, shop.alias, embedded=None)
    assert caught.value.url == url
    assert len(sent) == 11  # one that arrived, and ten tries of the next


def test_a_server_that_does_not_answer_is_slow_and_not_gone(tmp_path: Path) -> None:
    """The error names the seconds and the setting to raise."""
    over = threading.Event()

    def answer(_method: str, path: str) -> object:
        if path != "/":
            over.wait()
            return None
        return {"title": "qdrant", "version": "1.20.0"}

    with qdrant_like(answer) as url:
        try:
            with (
                pytest.raises(QdrantSlowError, match=r"within 1 s.*RECSYS_QDRANT__TIMEOUT=2") as caught,
                connect(QdrantSettings(url=url, timeout=1), tmp_path) as client,
            ):
                client.get_aliases()
        finally:
            over.set()
    assert (caught.value.url, caught.value.seconds) == (url, 1)


@pytest.mark.parametrize("damage", ["width", "rows", "numbers"])
def test_a_run_that_is_not_what_it_says_is_not_uploaded(shop, damage):
    """Vectors of another width, items missing and numbers that are none are found before anything is made."""
    run = shop.run("a")
    items = run.items()
    vectors = items.vectors.copy()
    vectors[3, 2] = float("nan")
    damaged = {
        "width": replace(items, vectors=items.vectors[:, :5]),
        "rows": shop.run("b", items=39).items(),
        "numbers": replace(items, vectors=vectors),
    }[damage]
    write_table(run.path / "items.parquet", damaged)
    with shop.connect() as client:
        with pytest.raises(RunDamagedError, match=run.name):
            publish(client, run, shop.alias, embedded=shop.embedded)
        assert run.name not in collection_names(client)
        assert live_collection(client, shop.alias) is None
