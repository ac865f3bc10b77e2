"""Which graph terms and loss a training uses, by short trainings measured on held-out queries before the real one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sentence_transformers import SentenceTransformer

from recsys.core.files import write_json
from recsys.core.settings import TrainSettings
from recsys.graph.client import Graph
from recsys.model.data import TrainingData
from recsys.model.encoder import load_encoder
from recsys.model.features import Features
from recsys.model.fit import fit
from recsys.model.held_out_evaluator import HeldOutEvaluator
from recsys.model.processes import from_first

SHARE = 10
"A trial has one epoch for so many of the training; it searches for no hard negatives."
LEAST_STEPS = 60
"But no fewer steps than these, up to a whole training: after a dozen on a small log all ways look alike."
TRIAL = {"hard_negatives_every": 0, "early_stopping": 0, "report_to": ()}
"What a trial does without."
WORTH = 0.1
"What a dearer way has to be ahead by, in points of the score, to be chosen."
FIGURES = ("score", "P@1", "PSP@5", "R@10")


@dataclass(frozen=True)
class Way:
    """One choice of graph terms and loss.

    Attributes:
        name: In ``metrics.json``.
        changes: Of the settings.
    """

    name: str
    changes: Mapping[str, Any]

    def by_infonce(self) -> Way:
        """Return the same with InfoNCE in place of triplets."""
        return Way(f"{self.name} by InfoNCE", {**self.changes, "loss": "infonce"})


WAYS = (
    Way("clicks alone", {"two_hop": False, "graph_weight": 0.0}),
    Way("two hops", {"graph_weight": 0.0}),
    Way("two hops and relations", {}),
)
"From the cheapest step to the dearest."


@dataclass(frozen=True)
class Selection:
    """What was chosen, and the figures it was chosen by.

    Attributes:
        settings: Of the real training.
        figures: Name of the way chosen, epochs of a trial, and :data:`FIGURES` by way; empty where nothing was tried.
        encoder: Directory of the chosen trial's encoder; None where nothing was tried.
    """

    settings: TrainSettings
    figures: dict[str, Any]
    encoder: Path | None = None


def select(
    graph: Graph,
    features: Features,
    data: TrainingData,
    settings: TrainSettings,
    evaluator: HeldOutEvaluator | None,
    directory: Path,
) -> Selection:
    """Try the ways that the settings leave open, for a short time each, and choose.

    Args:
        graph: Live graph that the trials stream from.
        features: Inputs by row of the encoder that ``settings`` name.
        data: What was read.
        settings: As asked for; they come back unchanged where ``settings.select`` is off, they leave nothing to
            choose, or there is nothing to measure on.
        evaluator: Measures on held-out queries with the best of a few recipes.
        directory: Of the training in progress; a trial that is finished there is not done again.
    """
    ways = _open_ways(settings, data)
    either = settings.loss == "chosen"
    if not settings.select or evaluator is None or len(ways) + either < 2:
        return Selection(settings, {})
    epochs = _epochs(settings, len(data.training_rows))
    folder = directory / "selection"
    found: dict[str, dict[str, float]] = {}

    def best(chosen: Way, ways: Sequence[Way]) -> Way:
        for way in ways:
            found[way.name] = _try(graph, features, data, settings, way, evaluator, folder, epochs)
            if found[way.name]["score"] >= found[chosen.name]["score"] + WORTH:
                chosen = way
        return chosen

    chosen = best(ways[0], ways)
    if either:
        chosen = best(chosen, [chosen.by_infonce()])
    figures = {"chosen": chosen.name, "epochs": epochs, "worth": WORTH, "ways": found}
    return Selection(settings.model_copy(update=dict(chosen.changes)), figures, _encoder(folder, chosen))


def settle(
    selection: Selection, model: SentenceTransformer, history: Sequence[Mapping[str, Any]]
) -> tuple[SentenceTransformer, dict[str, Any]]:
    """Return the encoder to keep, and the selection's figures with what became of it.

    More epochs are not always better: where the whole training ended below its own trial, the trial's encoder stays.

    Args:
        selection: Before the training.
        model: The encoder at its best checkpoint.
        history: Of the training, as :func:`recsys.model.fit.fit` returns it; measured as the trials were.
    """
    if selection.encoder is None:
        return model, selection.figures
    score = round(max(entry["eval_score"] for entry in history if "eval_score" in entry), 3)
    tried = selection.figures["ways"][selection.figures["chosen"]]["score"]
    kept = "training" if score >= tried else "trial"
    if kept == "trial":
        model = load_encoder(str(selection.encoder), selection.settings.max_length)
    return model, {**selection.figures, "training": score, "encoder": kept}


def _epochs(settings: TrainSettings, rows: int) -> int:
    """Return the epochs of a trial."""
    least = -(-LEAST_STEPS // -(-rows // settings.batch_size))
    return min(settings.epochs, max(settings.epochs // SHARE, least))


def _open_ways(settings: TrainSettings, data: TrainingData) -> list[Way]:
    """Return the ways that differ: what the settings switch off is not tried."""
    if not settings.graph:
        return [WAYS[0]]
    relations = bool(settings.graph_weight and data.snapshot.relations)
    two_hops = [way for way in WAYS[1:2] if settings.two_hop]
    return [WAYS[0], *two_hops, *(WAYS[2:] if relations else ())]


def _encoder(folder: Path, way: Way) -> Path:
    return folder / f"{way.name.replace(' ', '-')}-encoder"


def _try(
    graph: Graph,
    features: Features,
    data: TrainingData,
    settings: TrainSettings,
    way: Way,
    evaluator: HeldOutEvaluator,
    folder: Path,
    epochs: int,
) -> dict[str, float]:
    path = folder / f"{way.name.replace(' ', '-')}.json"
    if not from_first(path.is_file):
        work = folder / way.name.replace(" ", "-")
        work.mkdir(parents=True, exist_ok=True)
        changed = settings.model_copy(update={**way.changes, **TRIAL, "epochs": epochs})
        model = load_encoder(settings.encoder, settings.max_length)
        fit(model, features, data, graph, changed, None, work)

        def measure() -> None:
            figures = evaluator(model)
            model.save(str(_encoder(folder, way)))
            write_json(path, {name: round(figures[name], 3) for name in FIGURES})
            shutil.rmtree(work)

        from_first(measure)
    found: dict[str, float] = json.loads(path.read_text(encoding="utf-8"))
    return found
