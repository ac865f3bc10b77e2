"""``recsys train``: from the graph to a run directory."""

from __future__ import annotations

import shutil
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from recsys.core.errors import DataError, UsageError
from recsys.core.run import Run
from recsys.core.settings import TrainSettings
from recsys.graph.client import Graph
from recsys.model.anchors import anchors_of_items
from recsys.model.choice import choose
from recsys.model.data import TrainingData, read_data
from recsys.model.encoder import load_encoder, resolve
from recsys.model.features import make_features
from recsys.model.fit import fit
from recsys.model.golden import choose_golden
from recsys.model.held_out import Encoded, HeldOut
from recsys.model.held_out_evaluator import HeldOutEncoder, HeldOutEvaluator
from recsys.model.processes import from_first, is_first, this_process
from recsys.model.recipe import IN_TRAINING, PLAIN_RECIPE
from recsys.model.residual import learn_residual
from recsys.model.selection import select, settle
from recsys.model.snapshot import Snapshot, take_snapshot
from recsys.model.task import Click
from recsys.model.trackers import check_trackers
from recsys.model.validation import digest, held_out_of_log
from recsys.model.work import open_work, run_name
from recsys.model.write_run import Outcome, write_run

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


class TooFewQueriesError(DataError):
    """There is nothing to compare an item with."""

    def __init__(self, queries: int) -> None:
        self.queries = queries
        super().__init__(
            f"only {queries} query has clicks; at least 2 are needed to train. `recsys ingest clicks PATH` adds more"
        )


class OneProcessError(UsageError):
    """What works in one process alone was asked of several."""

    def __init__(self, processes: int) -> None:
        self.processes = processes
        super().__init__(
            f"train.mini_batch_size works in one process, and these are {processes}; leave it out, or lower "
            "train.batch_size, which is per process"
        )


def plan_training(graph: Graph, settings: TrainSettings) -> Snapshot:
    """Return the snapshot that a training with these settings would read.

    Raises:
        NoClicksError: The graph holds no clicks.
        UnknownRelationError: A relation of the settings is not in the graph.
    """
    relations = settings.relations if settings.graph and settings.graph_weight else ()
    return take_snapshot(graph, relations)


def train(
    graph: Graph,
    settings: TrainSettings,
    runs: Path,
    *,
    fresh: bool = False,
    validation: Sequence[Click] | None = None,
    filtered: Collection[tuple[str, str]] = (),
) -> Run:
    """Train an encoder on the graph and write a run directory.

    A training with the same settings on the same snapshot that was interrupted goes on where its last checkpoint is.
    Started by ``torchrun``, several processes share each epoch; the first one chooses, writes and holds the lock, and
    ``runs`` must be on a disk that all of them see.

    Args:
        graph: Neighbours are streamed from it while training.
        settings: How to train.
        runs: Directory of all runs.
        fresh: Begin anew instead of going on.
        validation: Click log to choose by; without it a share of the graph's queries is held out.
        filtered: (query id, item id) pairs that are no negatives, no gold, and not ranked.

    Raises:
        NoClicksError: The graph holds no clicks.
        UnknownRelationError: A relation of the settings is not in the graph.
        OneProcessError: ``mini_batch_size`` is set, and there are several processes.
        TooFewQueriesError: Fewer than two queries have clicks.
        EncoderMissingError: The encoder's weights cannot be had.
        TrackerMissingError: The package of a tracker is not installed.
        NothingToMeasureError: ``validation`` has no new click on an item of the graph.
        TrainingInProgressError: Another process is at the same training.
    """
    began = time.monotonic()
    settings = settings.model_copy(update={"encoder": resolve(settings.encoder)})
    check_trackers(settings.report_to)
    processes = this_process()[1]
    if processes > 1 and settings.mini_batch_size:
        raise OneProcessError(processes)
    snapshot = from_first(lambda: plan_training(graph, settings))
    model = load_encoder(settings.encoder, settings.max_length)
    key: dict[str, Any] = {"settings": settings.model_dump(exclude={"report_to"}), "snapshot": snapshot.as_json()}
    if validation is not None:
        key["validation"] = digest(validation)
    if filtered:
        key["filter"] = digest(filtered)
    if processes > 1:
        key["processes"] = processes  # steps are counted per process: a checkpoint suits this number alone
    with _open_work(runs, key, fresh=fresh) as (directory, own):
        share = 0 if validation is not None else settings.validation_share
        data = read_data(graph, snapshot, own, share, filtered, settings.page_cache)
        if len(data.training_rows) < 2:
            raise TooFewQueriesError(len(data.training_rows))
        held_out = _held_out(data, validation, filtered)
        recipes = IN_TRAINING if settings.composes else (PLAIN_RECIPE,)
        features = make_features(model, data.texts, data.scratch)
        encode = HeldOutEncoder(features, held_out, settings.batch_size, data.scratch)
        evaluator = HeldOutEvaluator(held_out, recipes, encode) if len(held_out) else None
        selection = select(graph, features, data, settings, evaluator, directory)
        history = fit(model, features, data, graph, selection.settings, evaluator, directory)

        def finish() -> Run:
            kept, selected = settle(selection, model, history)
            encoded = encode(kept)
            if settings.composes:
                encoded = replace(encoded, anchors=anchors_of_items(kept, features, data, graph, settings.batch_size))
            outcome, chosen_by = _choose(kept, encoded, data, held_out, settings)
            by: dict[str, Any] = {"held_out_by": "hash" if validation is None else "log"}
            if selected:
                by["selection"] = selected
            figures = {**by, **chosen_by, "history": history, "seconds": round(time.monotonic() - began, 1)}
            run = write_run(outcome, figures, runs, run_name(directory))
            shutil.rmtree(directory)
            return run

        return from_first(finish)


def _choose(
    model: SentenceTransformer, encoded: Encoded, data: TrainingData, held_out: HeldOut, settings: TrainSettings
) -> tuple[Outcome, dict[str, Any]]:
    """Return how items are to be scored, with all that a run is written from, and the figures it was chosen by."""
    learnt = None
    if settings.composes and settings.residual and len(held_out):
        learnt = learn_residual(encoded, held_out.training_clicks, data.excluded, settings.seed)
    choice = choose(held_out, encoded, graph=settings.composes, learnt=learnt, prototypes=settings.prototypes)
    outcome = Outcome(
        encoder=model,
        data=data,
        encoded=encoded,
        composition=choice.composition,
        scoring=choice.scoring,
        settings=settings,
        golden=choose_golden(held_out, encoded, choice.scoring),
        learnt=learnt if held_out.training_clicks is data.clicks else None,
    )
    return outcome, choice.figures


@contextmanager
def _open_work(runs: Path, key: Mapping[str, Any], *, fresh: bool) -> Iterator[tuple[Path, Path]]:
    """Yield the directory of the training, which the first process locks, and one for files of this process alone."""
    with ExitStack() as stack:
        directory = from_first(lambda: stack.enter_context(open_work(runs, key, fresh=fresh)))
        own = directory if is_first() else Path(stack.enter_context(TemporaryDirectory()))
        yield directory, own


def _held_out(data: TrainingData, validation: Sequence[Click] | None, filtered: Collection[tuple[str, str]]) -> HeldOut:
    if validation is not None:
        return held_out_of_log(data.texts, data.clicks, validation, filtered)
    return HeldOut.by_marks(data.texts, data.clicks, data.held_out, data.excluded, training=data.training_clicks)
