"""``recsys train``: from the graph to a run directory."""

from __future__ import annotations

import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from recsys.core.errors import DataError
from recsys.core.run import Run
from recsys.core.settings import TrainSettings
from recsys.graph.client import Graph
from recsys.model.composition import CANDIDATES, PLAIN, Composition, mean_of_queries
from recsys.model.data import read_data
from recsys.model.encoder import load_encoder, resolve
from recsys.model.fit import fit
from recsys.model.held_out import IN_TRAINING, Encoded, HeldOut, HeldOutEvaluator, encode_all, score
from recsys.model.snapshot import Snapshot, take_snapshot
from recsys.model.work import open_work, run_name
from recsys.model.write_run import Outcome, write_run

DEFAULT = IN_TRAINING
"Where no query is held out to choose by."


class TooFewQueriesError(DataError):
    """There is nothing to compare an item with."""

    def __init__(self, queries: int) -> None:
        self.queries = queries
        super().__init__(
            f"only {queries} query has clicks; at least 2 are needed to train. `recsys ingest clicks PATH` adds more"
        )


def plan_training(graph: Graph, settings: TrainSettings) -> Snapshot:
    """Return the snapshot that a training with these settings would read.

    Raises:
        NoClicksError: The graph holds no clicks.
        UnknownRelationError: A relation of the settings is not in the graph.
    """
    relations = settings.relations if settings.graph and settings.graph_weight else ()
    return take_snapshot(graph, relations)


def train(graph: Graph, settings: TrainSettings, runs: Path, *, fresh: bool = False) -> Run:
    """Train an encoder on the graph and write a run directory.

    A training with the same settings on the same snapshot that was interrupted goes on where its last checkpoint is.

    Args:
        graph: Neighbours are streamed from it while training.
        settings: How to train.
        runs: Directory of all runs.
        fresh: Begin anew instead of going on.

    Raises:
        NoClicksError: The graph holds no clicks.
        UnknownRelationError: A relation of the settings is not in the graph.
        TooFewQueriesError: Fewer than two queries have clicks.
        EncoderMissingError: The encoder's weights cannot be had.
        TrainingInProgressError: Another process is at the same training.
    """
    began = time.monotonic()
    settings = settings.model_copy(update={"encoder": resolve(settings.encoder)})
    snapshot = plan_training(graph, settings)
    model = load_encoder(settings.encoder, settings.max_length)
    key = {"settings": settings.model_dump(), "snapshot": snapshot.as_json()}
    with open_work(runs, key, fresh=fresh) as directory:
        data = read_data(graph, snapshot, directory, settings.validation_share)
        if len(data.training_rows) < 2:
            raise TooFewQueriesError(len(data.training_rows))
        held_out = HeldOut(data.texts, data.clicks, data.held_out, data.self_items)
        how = IN_TRAINING if settings.graph else PLAIN
        evaluator = HeldOutEvaluator(held_out, how, settings.batch_size) if len(held_out.rows) else None
        history = fit(model, data, graph, settings, evaluator, directory)
        encoded = encode_all(model, data.texts, settings.batch_size)
        choice = choose(held_out, encoded, graph=settings.graph)
        outcome = Outcome(model, data, encoded, choice.composition, settings)
        figures = {**choice.figures, "history": history, "seconds": round(time.monotonic() - began, 1)}
        run = write_run(outcome, figures, runs, run_name(directory))
        shutil.rmtree(directory)
    return run


@dataclass(frozen=True)
class Choice:
    """How items are composed, and every figure it was chosen by.

    Attributes:
        composition: α and c.
        figures: ``held_out`` metrics of ``plain`` and ``chosen`` vectors, and the candidates with their scores.
    """

    composition: Composition
    figures: dict[str, Any]


def choose(held_out: HeldOut, encoded: Encoded, *, graph: bool) -> Choice:
    """Choose the composition that is best on held-out queries, or plain vectors where nothing beats them."""
    if not len(held_out.rows):
        return Choice(DEFAULT if graph else PLAIN, {"held_out_queries": 0})
    mean = mean_of_queries(encoded.queries, held_out.training_clicks)
    measured = {how: held_out.measure(encoded, how, mean) for how in (PLAIN, *(CANDIDATES if graph else ()))}
    best = max(measured, key=lambda how: score(measured[how]))
    candidates = [{**asdict(how), "score": round(score(figures), 3)} for how, figures in measured.items()]
    figures = {
        "held_out_queries": len(held_out.rows),
        "plain": measured[PLAIN],
        "chosen": measured[best],
        "candidates": candidates,
    }
    return Choice(best, figures)
