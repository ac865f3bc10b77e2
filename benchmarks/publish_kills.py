"""Kills ``recsys publish`` at seeded requests while a reader asks the alias without a pause.

Each run is published by the command itself, in a process of its own that ends by kill -9 before or after a request
drawn from the seed, as often as drawn, and then goes through. The reader's every answer has to be the exact one of one
run, whole: an error, a mixture and a part are all found. Needs a server: that of ``qdrant.url``, or one managed for
this campaign where Qdrant's program is on PATH.

Usage: python benchmarks/publish_kills.py [--kills 100] [--seed 0]
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import sys
import tempfile
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.synchronize import Event
from pathlib import Path

import httpx
import numpy as np
from qdrant_client import QdrantClient

from recsys.cli.main import main as command
from recsys.core.config import load_config
from recsys.core.files import hash_tree, write_json, write_text
from recsys.core.run import Run, Table, Vectors, write_table
from recsys.core.settings import Settings
from recsys.serving import storage, upload
from recsys.serving.alias import live_collection
from recsys.serving.client import connect
from recsys.serving.exact import best_rows
from recsys.serving.server import start, stop
from recsys.serving.server_home import with_managed_qdrant

ITEMS, WIDTH, K, BATCH = 200, 8, 10, 16
KILLS_OF_A_RUN = 8
"At most; then it goes through."
FORK = multiprocessing.get_context("fork")
QUESTION = np.linspace(-1, 1, WIDTH, dtype=np.float32)


@dataclass
class Seen:
    """What a reader got.

    Attributes:
        answers: Run to answers that were its exact ones, whole.
        wrong: All else, in words.
    """

    answers: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def write_run(path: Path, seed: int) -> Run:
    """Write a run of random vectors; every item says which run it is of."""
    rng = np.random.default_rng(seed)
    write_text(path / "encoder" / "config.json", "{}")
    for name, rows in (("items", ITEMS), ("queries", 20)):
        vectors = rng.normal(size=(rows, WIDTH)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        payload = {"of": path.name} if name == "items" else {"items": [0], "counts": [1]}
        ids, ones = [f"{name}-{row}" for row in range(rows)], np.ones(rows, np.int64)
        write_table(path / f"{name}.parquet", Table(ids, ids, ones, ones, [payload] * rows, vectors))
    manifest = {"run": path.name, "encoder_hash": hash_tree(path / "encoder"), "snapshot": {}, "width": WIDTH}
    write_json(path / "manifest.json", {**manifest, "items": ITEMS, "created_at": f"2026-01-01T00:00:00.{seed:06d}Z"})
    return Run(path)


def exact(vectors: Vectors) -> list[str]:
    """Return the ids of the first ten."""
    return [f"items-{row}" for row in best_rows(QUESTION[None], vectors, K)[0]]


def read(
    settings: Settings, expected: dict[str, list[str]], over: Event, sent: multiprocessing.SimpleQueue[Seen]
) -> None:
    """Ask the alias until it is over, and send what was seen."""
    seen, key = Seen(), settings.qdrant.api_key
    client = QdrantClient(
        url=settings.qdrant.url, api_key=key.get_secret_value() if key else None, check_compatibility=False
    )
    while not over.is_set():
        try:
            found = client.query_points(settings.qdrant.alias, QUESTION.tolist(), limit=K, with_payload=True).points
        except Exception as error:  # whatever it is, a backend would have got it
            seen.wrong.append(f"{type(error).__name__}: {error}")
            continue
        runs = sorted({(point.payload or {})["of"] for point in found})
        if len(runs) == 1 and [(point.payload or {})["id"] for point in found] == expected[runs[0]]:
            seen.answers[runs[0]] += 1
        else:
            seen.wrong.append(f"{len(found)} hits of {runs or 'no run'}")
    sent.put(seen)


def publish(run: Run, at: int, after: bool, asked: multiprocessing.SimpleQueue[str]) -> None:
    """Be the command; kill this process at a request, 0 for none. Sends every request's kind before it is made."""
    upload.BATCH, storage.INTERVAL_SECONDS = BATCH, 0.01
    send, left = httpx.Client.send, at

    def counted(client: httpx.Client, request: httpx.Request, **options: object) -> httpx.Response:
        nonlocal left
        left -= 1
        asked.put(f"{request.method} {request.url.path.replace(run.name, 'RUN')}")
        if left == 0 and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        answer = send(client, request, **options)  # type: ignore[arg-type]
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    httpx.Client.send = counted  # type: ignore[assignment, method-assign]
    sys.argv = ["recsys", "publish", run.name]
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
        command()


def attempt(run: Run, at: int, *, after: bool = False) -> tuple[int | None, list[str]]:
    """Return how the command ended, and the requests it made."""
    asked: multiprocessing.SimpleQueue[str] = FORK.SimpleQueue()
    process = FORK.Process(target=publish, args=(run, at, after, asked))
    process.start()
    process.join()
    requests = []
    while not asked.empty():
        requests.append(asked.get())
    return process.exitcode, requests


def campaign(settings: Settings, runs: list[Run], kills: int, seed: int) -> int:
    """Publish one run after the other under kills; return how many things went wrong."""
    rng = np.random.default_rng(seed)
    expected = {run.name: exact(run.items().vectors) for run in runs}
    over, sent = FORK.Event(), FORK.SimpleQueue()
    code, requests = attempt(runs[0], 0)
    print(f"left alone: {len(requests)} requests, exit code {code}", flush=True)
    reader = FORK.Process(target=read, args=(settings, expected, over, sent))
    reader.start()
    struck: Counter[str] = Counter()
    wrong, done = [], 0
    for run in runs[1:]:
        for _ in range(min(int(rng.integers(1, KILLS_OF_A_RUN + 1)), kills - done)):
            at, after = int(rng.integers(1, len(requests) + 1)), bool(rng.integers(2))
            code, made = attempt(run, at, after=after)
            if code == -signal.SIGKILL:
                done += 1
                struck[f"{'after' if after else 'before'} {made[-1]}"] += 1
        code, _ = attempt(run, 0)
        with connect(settings.qdrant, settings.workspace) as client:
            if code or live_collection(client, settings.qdrant.alias) != run.name:
                wrong.append(f"{run.name} is not live (exit code {code})")
        if done == kills:
            break
    over.set()
    seen = sent.get()
    reader.join()
    wrong += seen.wrong
    for moment, times in sorted(struck.items()):
        print(f"  {times:3}  {moment}")
    print(f"{done} kills; the reader got {seen.answers.total():,} whole answers of {len(seen.answers)} runs")
    print("no error, no mixture, no part" if not wrong else f"{len(wrong)} things are wrong, such as {wrong[:3]}")
    return len(wrong)


@contextmanager
def server(workspace: Path) -> Iterator[Settings]:
    """Yield settings with a server, and clean it up."""
    alias = f"kills-{uuid.uuid4().hex[:8]}"
    os.environ |= {"RECSYS_WORKSPACE": str(workspace), "RECSYS_QDRANT__ALIAS": alias}
    settings = load_config().settings
    if settings.qdrant.url is None:
        start(workspace, settings.qdrant)
        settings = with_managed_qdrant(settings)
    try:
        yield settings
    finally:
        with connect(settings.qdrant, workspace) as client:
            for collection in client.get_collections().collections:
                if collection.name.startswith(alias):
                    client.delete_collection(collection.name)
        stop(workspace)


def main() -> None:
    """Print where the kills fell and what the reader got; end with code 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="recsys-kills-") as name, server(Path(name)) as settings:
        alias = settings.qdrant.alias
        runs = [write_run(Path(name) / "runs" / f"{alias}-{i:03}", i) for i in range(given.kills + 2)]
        wrong = campaign(settings, runs, given.kills, given.seed)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
