"""Serving: what a Recommender adds to the bare request, what vectors with the graph in them cost, and publishing.

Two runs of an invented catalogue, one of plain and one of composed vectors, and the latter with prototypes, are
published and asked in turn, request by request, so that all medians are of the same minutes. On a server: that of
``qdrant.url``, or one that is managed for this run where Qdrant's program is on PATH (``qdrant.binary``); else in
embedded mode, which scans.

Usage: python benchmarks/serving.py [ITEMS]
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from commands import GIB, Watch
from qdrant_client import QdrantClient
from sentence_transformers import SentenceTransformer

from recsys.core.config import load_config
from recsys.core.files import hash_tree, write_json
from recsys.core.run import Run, Table, Vectors, write_table
from recsys.core.settings import QdrantSettings, Settings
from recsys.model.composition import unit
from recsys.model.encoder import load_encoder
from recsys.serving.client import connect
from recsys.serving.contents import Contents
from recsys.serving.embedded import embedded_directory
from recsys.serving.exact import recall
from recsys.serving.publish import publish
from recsys.serving.recommend import Recommender
from recsys.serving.search import PARAMETERS, SHOWN, asked_of_many, search
from recsys.serving.server import QdrantMissingError, start, stop
from recsys.serving.server_home import with_managed_qdrant
from recsys.serving.storage import Storage
from recsys.serving.voters import remove

ITEMS, EMBEDDED_ITEMS = 100_000, 20_000
QUERIES, ASKED, K = 5_000, 1_000, 10
CLICKED, PROTOTYPES = 500, 4


@dataclass(frozen=True)
class Catalogue:
    """Invented titles and queries with their vectors; each query clicked the item whose words it has.

    The first half of the queries is known, the others are new.
    """

    titles: list[str]
    items: Vectors
    queries: list[str]
    vectors: Vectors
    clicked: np.ndarray

    @property
    def known(self) -> int:
        """Queries that are known."""
        return len(self.queries) // 2

    def composed(self) -> Vectors:
        """Return item vectors with half of their known queries' vectors in them."""
        sums, times = np.zeros_like(self.items), np.zeros(len(self.items), np.float32)
        np.add.at(sums, self.clicked[: self.known], self.vectors[: self.known])
        np.add.at(times, self.clicked[: self.known], 1)
        return unit(self.items + 0.5 * sums / np.maximum(times, 1)[:, None])


def invent(model: SentenceTransformer, items: int) -> Catalogue:
    """Draw titles of six words, and queries of two of them."""
    rng = np.random.default_rng(0)
    words = np.array([w for w in model[0].tokenizer.get_vocab() if w.isalpha() and w.isascii() and len(w) > 3])
    drawn = rng.choice(words, (items, 6))
    clicked = rng.choice(items, CLICKED)[rng.integers(0, CLICKED, QUERIES)]
    titles = [" ".join(row) for row in drawn]
    queries = [" ".join(drawn[item][rng.permutation(6)[:2]]) for item in clicked]
    return Catalogue(titles, model.encode(titles), queries, model.encode(queries), clicked)


def write_run(path: Path, model: SentenceTransformer, catalogue: Catalogue, vectors: Vectors) -> Run:
    """Write what publishing and asking read of a run."""
    model.save_pretrained(str(path / "encoder"), create_model_card=False)
    known = catalogue.known
    for name, ids, texts, table in (
        ("items", "item", catalogue.titles, vectors),
        ("queries", "query", catalogue.queries[:known], catalogue.vectors[:known]),
    ):
        ones = np.ones(len(texts), np.int64)
        clicked = catalogue.clicked.tolist()
        payloads = [
            {"brand": "b"} if ids == "item" else {"items": [clicked[row]], "counts": [1]} for row in range(len(texts))
        ]
        named = [f"{ids}-{row}" for row in range(len(texts))]
        write_table(path / f"{name}.parquet", Table(named, texts, ones, ones, payloads, table))
    manifest = {
        "run": path.name,
        "encoder_hash": hash_tree(path / "encoder"),
        "snapshot": {},
        "width": vectors.shape[1],
        "items": len(vectors),
        "created_at": "2026-01-01T00:00:00+00:00",
    }
    write_json(path / "manifest.json", manifest)
    return Run(path)


def publish_timed(
    client: QdrantClient, run: Run, settings: Settings, embedded: Path | None, prototypes: int | None = None
) -> None:
    """Publish a run and print points per second, seconds until it is live and what the command held in memory."""
    watch = Watch(os.getpid(), settings.workspace)
    watch.start()
    began = time.perf_counter()
    storage = Storage(int8_from=settings.qdrant.int8_from)
    # an alias of its own, under which nothing is older and would be removed
    alias = run.name.rpartition("-")[0] + ("-many" if prototypes else "")
    force = "measured whatever the gate says"
    done = publish(client, run, alias, embedded=embedded, storage=storage, force=force, prototypes=prototypes)
    ready = time.perf_counter() - began
    watch.end()
    rate = done.uploaded / done.seconds
    checks = "; ".join(check.says for check in done.gate.checks if check.name == "index") if done.gate else ""
    print(
        f"{done.collection}: {done.uploaded:,} x {done.width} sent at {rate:,.0f} points/s, live after {ready:.1f} s, "
        f"peak memory {watch.peak / GIB:.2f} GiB; the index {checks}"
    )


def medians(ways: Mapping[str, Callable[[int], object]], times: int) -> dict[str, float]:
    """Return the median milliseconds of each way, asked in turn."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(times):
        for name, ask in ways.items():
            began = time.perf_counter()
            ask(turn)
            taken[name].append(1e3 * (time.perf_counter() - began))
    return {name: float(np.median(spent[times // 10 :])) for name, spent in taken.items()}


def compare(
    client: QdrantClient, plain: Run, composed: Run, catalogue: Catalogue, runs: Path, model: SentenceTransformer
) -> None:
    """Print the medians of every way to ask, and their ratios."""
    vectors, new = catalogue.vectors, catalogue.known
    recommender = Recommender(client, plain.name.rpartition("-")[0], runs)
    recommender.by_text([catalogue.queries[-1]])  # loads the encoder

    many = Contents.of(composed, PROTOTYPES).collection

    def raw(collection: str, row: int) -> object:
        asked = vectors[[row]].tolist() if collection == many else vectors[row].tolist()
        return client.query_points(collection, asked, limit=K, with_payload=SHOWN, search_params=PARAMETERS)

    def encode_and_ask(turn: int) -> object:
        return model.encode([catalogue.queries[new + turn]]), raw(plain.name, new + turn)

    ways = {
        "raw client, by vector": lambda turn: raw(plain.name, new + turn),
        "ours, by vector": lambda turn: search(client, plain.name, [vectors[new + turn]], K),
        "raw client, encoding": encode_and_ask,
        "ours, by new text": lambda turn: recommender.by_text([catalogue.queries[new + turn]], K),
        "ours, by known query": lambda turn: recommender.by_query_id(f"query-{turn}", K),
        "raw client, composed": lambda turn: raw(composed.name, new + turn),
        "raw client, prototypes": lambda turn: raw(many, new + turn),
    }
    found = medians(ways, ASKED)
    base = found["raw client, by vector"]
    for name, taken in found.items():
        print(f"{name:22} {taken:8.2f} ms  {taken / base:5.2f}x")


def print_recall(client: QdrantClient, contents: Contents, catalogue: Catalogue) -> None:
    """Print how much of exact search the index finds, and how often what new texts clicked is among the first."""
    table, first = contents.items, catalogue.known
    row_of = {id_: row for row, id_ in enumerate(table.ids)}
    asked = catalogue.vectors[first : first + ASKED]
    sent = asked_of_many([*asked]) if contents.scoring.prototypes else [*asked]
    rows: Sequence[list[int]] = [
        [row_of[hit.id] for hit in search(client, contents.collection, [vector], K)[0]] for vector in sent
    ]
    exact = recall(rows, asked, table.vectors, K, contents.prototypes)
    found = np.mean([item in best for item, best in zip(catalogue.clicked[first:], rows, strict=False)])
    print(f"recall@{K} against exact search {exact:.4f}, of clicked items {found:.3f} ({contents.collection})")


@contextmanager
def place(workspace: Path):
    """Yield settings with a server where there is one to be had."""
    chosen = load_config().settings.model_copy(update={"workspace": workspace})
    try:
        if chosen.qdrant.url is None:
            start(workspace, chosen.qdrant)
            chosen = with_managed_qdrant(chosen)
        yield chosen
    except QdrantMissingError:
        print("no qdrant.url and no program: embedded mode, which scans every point")
        yield chosen.model_copy(update={"qdrant": QdrantSettings()})
    finally:
        stop(workspace)


def main() -> None:
    """Publish all of it, ask it, and remove it."""
    with tempfile.TemporaryDirectory() as name, place(Path(name)) as settings:
        embedded = embedded_directory(settings.qdrant, settings.workspace)
        items = int(sys.argv[1]) if len(sys.argv) > 1 else EMBEDDED_ITEMS if embedded else ITEMS
        model, runs = load_encoder("static", 32), settings.workspace / "runs"
        catalogue = invent(model, items)
        start_of_name = f"bench-{os.getpid()}"
        plain = write_run(runs / f"{start_of_name}-plain", model, catalogue, catalogue.items)
        composed = write_run(runs / f"{start_of_name}-composed", model, catalogue, catalogue.composed())
        every = (Contents.of(plain), Contents.of(composed), Contents.of(composed, PROTOTYPES))
        with connect(settings.qdrant, settings.workspace) as client:
            try:
                publish_timed(client, composed, settings, embedded)
                publish_timed(client, plain, settings, embedded)
                publish_timed(client, composed, settings, embedded, PROTOTYPES)
                compare(client, plain, composed, catalogue, runs, model)
                for contents in every:
                    print_recall(client, contents, catalogue)
            finally:
                for contents in every:
                    if client.collection_exists(contents.collection):
                        remove(client, contents.collection)


if __name__ == "__main__":
    main()
