"""Training on the invented shop: what the graph costs per step, how long the trainer waits, and how memory grows.

Pages of neighbours and random walks come first. Every rate of the trainer is of whole epochs after a first one that
warms up. sentence-transformers' own trainer runs on the same pairs with the same starting encoder and batch size.

Usage: python benchmarks/train.py [CLICKS]
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pages
import torch
import walk
from commands import GIB, Watch, anonymous, recsys
from datasets import Dataset
from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss

from recsys.core.settings import Neo4jSettings, TrainSettings
from recsys.graph.client import Graph
from recsys.graph.server import start, stop
from recsys.model.collator import BatchCollator
from recsys.model.data import TrainingData, read_data
from recsys.model.encoder import load_encoder
from recsys.model.features import make_features
from recsys.model.fit import fit
from recsys.model.precision import has_bfloat16
from recsys.model.snapshot import take_snapshot
from recsys.model.stream import NeighbourStream

CLICKS = 300_000
EPOCHS = 4
WAYS = {
    "clicks alone": {"graph": False, "hard_negatives_every": 0},
    "two hops": {"graph_weight": 0.0, "hard_negatives_every": 0},
    "two hops and metadata": {"hard_negatives_every": 0},
    "default": {},
}


@dataclass
class Waiting:
    """Adds up how long the trainer waits for the stream, and what it is given to encode.

    Attributes:
        seconds: Since the last reset, the first batch of each training left out.
        batches: Since then.
        texts: Distinct ones of each batch.
    """

    seconds: float = 0.0
    batches: int = 0
    texts: int = 0

    def watch(self) -> None:
        """Time every batch that is asked for from now on, and count its texts."""
        ask, collate = NeighbourStream.batch, BatchCollator.__call__

        def timed(stream: NeighbourStream, rows: list[int]) -> object:
            began = time.perf_counter()
            batch = ask(stream, rows)
            self.batches += 1
            if self.batches > 1:
                self.seconds += time.perf_counter() - began
            return batch

        def counted(collator: BatchCollator, rows: list[dict[str, int]]) -> dict[str, Any]:
            inputs = collate(collator, rows)
            self.texts += 1 + max(int(places.max()) for places in inputs["label"]["places"].values())
            return inputs

        NeighbourStream.batch = timed  # type: ignore[assignment, method-assign]
        BatchCollator.__call__ = counted  # type: ignore[assignment, method-assign]


def seconds_of(graph: Graph, data: TrainingData, epochs: int, changes: dict[str, object]) -> float:
    """Return the wall time of a training."""
    settings = TrainSettings.model_validate({"encoder": "static", "epochs": epochs, **changes})
    with tempfile.TemporaryDirectory() as directory:
        model = load_encoder("static", settings.max_length)
        began = time.perf_counter()
        fit(model, make_features(model, data.texts), data, graph, settings, None, Path(directory))
        return time.perf_counter() - began


def theirs(data: TrainingData, epochs: int, batch_size: int) -> float:
    """Return the wall time of sentence-transformers' trainer with its usual loss for pairs."""
    rows = data.training_rows
    first = np.searchsorted(data.clicks.query, rows)
    pairs = {
        "anchor": data.texts["Query"].take(rows),
        "positive": data.texts["Item"].take(data.clicks.item[first]),
    }
    model = load_encoder("static", 32)
    weights = model[0].embedding.weight.detach()
    model[0].embedding = torch.nn.EmbeddingBag.from_pretrained(weights, freeze=False)  # as the library itself has it
    with tempfile.TemporaryDirectory() as directory:
        arguments = SentenceTransformerTrainingArguments(
            output_dir=directory,
            num_train_epochs=epochs,
            per_device_train_batch_size=batch_size,
            learning_rate=0.01,
            use_cpu=True,
            bf16=has_bfloat16(torch.device("cpu")),
            report_to="none",
            save_strategy="no",
            disable_tqdm=True,
        )
        trainer = SentenceTransformerTrainer(
            model, arguments, Dataset.from_dict(pairs), loss=MultipleNegativesRankingLoss(model)
        )
        began = time.perf_counter()
        trainer.train()
        return time.perf_counter() - began


def rates(clicks: int) -> None:
    """Print queries and texts per second of every way, and of the other trainer."""
    waiting = Waiting()
    waiting.watch()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        filled(folder, clicks)
        server = start(folder / ".recsys", Neo4jSettings())
        try:
            with Graph(server.uri, server.user, server.password) as graph:
                data = read_data(graph, take_snapshot(graph), folder, 0.1, page_cache=TrainSettings().page_cache)
                base = compare_ways(graph, data, waiting)
                other = theirs(data, 1 + EPOCHS, 1024) - theirs(data, 1, 1024)
                rate = EPOCHS * len(data.training_rows) / other
                print(f"{'their trainer, clicks':24} {rate:10,.0f} queries/s  {other / base:5.2f}x")
        finally:
            stop(folder / ".recsys")


def compare_ways(graph: Graph, data: TrainingData, waiting: Waiting) -> float:
    """Print a line for every way, and return the seconds of the first one."""
    seconds: list[float] = []
    per_text: list[float] = []
    for way, changes in WAYS.items():
        once = seconds_of(graph, data, 1, changes)
        waiting.seconds, waiting.batches, waiting.texts = 0.0, 0, 0
        whole = seconds_of(graph, data, 1 + EPOCHS, changes)
        seconds.append(whole - once)
        per_text.append(seconds[-1] / (waiting.texts * EPOCHS / (1 + EPOCHS)))
        print(
            f"{way:24} {EPOCHS * len(data.training_rows) / seconds[-1]:10,.0f} queries/s "
            f"{1 / per_text[-1]:10,.0f} texts/s  "
            f"{seconds[-1] / seconds[0]:5.2f}x a step {per_text[-1] / per_text[0]:5.2f}x a text  "
            f"waiting {waiting.seconds / whole:6.2%}",
            flush=True,
        )
    return seconds[0]


def filled(folder: Path, clicks: int) -> None:
    """Bring a sample and its links into the managed graph of ``folder``."""
    sample = folder / "sample"
    links = (sample / "links.parquet", "--nodes", sample / "nodes.parquet")
    for command in (
        ("sample", sample, "--clicks", str(clicks), "--seed", "0", "--format", "parquet"),
        ("ingest", "clicks", sample / "clicks.parquet", "--session-window", "0"),
        ("ingest", "links", *links),
    ):
        if recsys(folder, *command).wait():
            raise RuntimeError(f"{command[0]} failed")


def memory(clicks: int) -> int:
    """Return the peak memory of ``recsys train`` on a sample, in bytes; Neo4j and files are left out.

    Of two epochs, since what is fetched ahead is fetched for the next one too.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        filled(folder, clicks)
        command = recsys(folder, "train", "--encoder", "static", "--epochs", "2", "--graph-weight", "0", "--no-select")
        watch = Watch(command.pid, folder, anonymous)
        watch.start()
        command.communicate()
        watch.end()
        recsys(folder, "down").wait()
    return watch.peak - watch.neo4j


def main() -> None:
    """Print pages, walks, rates, then memory at two sizes."""
    clicks = int(sys.argv[1]) if len(sys.argv) > 1 else CLICKS
    pages.main()
    walk.main()
    rates(clicks)
    small, large = memory(clicks), memory(10 * clicks)
    print(f"peak memory of train: {small / GIB:.2f} GiB at {clicks:,} clicks, {large / GIB:.2f} at ten times as many")
    print(f"{large / small:.2f}x")


if __name__ == "__main__":
    main()
