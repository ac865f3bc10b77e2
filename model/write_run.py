"""Writes a run directory, whole or not at all."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from sentence_transformers import SentenceTransformer

from recsys.core.files import hash_tree, write_json, write_text
from recsys.core.golden import Golden, write_golden
from recsys.core.run import Run, Table, write_parts
from recsys.core.scoring import Scoring
from recsys.core.settings import TrainSettings
from recsys.model.borrowed import means_of_nearest
from recsys.model.card import model_card
from recsys.model.clicks import Clicks
from recsys.model.composition import PLAIN, Composition, Vectors, mean_of_queries, sums, units, widened, with_anchors
from recsys.model.data import TrainingData, write_excluded
from recsys.model.golden import measure_golden
from recsys.model.held_out import Encoded
from recsys.model.residual import learn_residual
from recsys.model.scratch import pieces
from recsys.model.votes import ballots, payloads_of_queries, prototypes_of_voters

PACKAGES = ("recsys", "torch", "sentence-transformers", "neo4j", "pyspark")


@dataclass(frozen=True)
class Outcome:
    """A finished training.

    Attributes:
        encoder: The encoder at its best, or the directory of one that is taken over as it is.
        data: What it was trained on.
        encoded: Vectors of all items and queries under it.
        composition: How items are composed.
        scoring: How the vectors are to be searched.
        settings: How it was trained.
        derived_from: Of vectors that were made again: the run before and the training they go back to.
        golden: Held-out queries that the run is judged by before it goes live; None where none were held out.
        learnt: What :func:`recsys.model.residual.learn_residual` makes of all clicks, where it is at hand already.
    """

    encoder: SentenceTransformer | Path
    data: TrainingData
    encoded: Encoded
    composition: Composition
    scoring: Scoring
    settings: TrainSettings
    derived_from: Mapping[str, Any] | None = None
    golden: Golden | None = None
    learnt: Vectors | None = None


def write_run(outcome: Outcome, figures: dict[str, Any], runs: Path, name: str) -> Run:
    """Write everything under a hidden name, then rename it to ``runs / name``.

    Args:
        outcome: What to write.
        figures: Every figure of the training; becomes ``metrics.json``.
        runs: Directory of all runs.
        name: Name of the run.
    """
    hidden = runs / f".{name}"
    shutil.rmtree(hidden, ignore_errors=True)
    hidden.mkdir(parents=True)
    if isinstance(outcome.encoder, Path):
        shutil.copytree(outcome.encoder, hidden / "encoder")
    else:
        outcome.encoder.save_pretrained(str(hidden / "encoder"), create_model_card=False)
    served, votes = _served(outcome), ballots(outcome.data.clicks)
    write_parts(hidden / "items.parquet", _items(outcome, served))
    write_parts(hidden / "queries.parquet", _queries(outcome, votes))
    write_excluded(hidden, outcome.data)
    metrics = {"composition": asdict(outcome.composition), "scoring": asdict(outcome.scoring), **figures}
    manifest = _manifest(outcome, name, hash_tree(hidden / "encoder"))
    if outcome.golden is not None:
        write_golden(hidden, outcome.golden)
        beside = prototypes_of_voters(votes, outcome.encoded.queries, outcome.scoring.prototypes)
        ids = outcome.data.texts["Item"].ids()
        manifest["golden"] = measure_golden(outcome.golden, ids, served.vectors, beside)
    write_json(hidden / "settings.json", outcome.settings.model_dump(mode="json"))
    write_json(hidden / "metrics.json", metrics)
    write_json(hidden / "manifest.json", manifest)
    write_text(hidden / "README.md", model_card(manifest, outcome.settings.model_dump(), metrics))
    hidden.rename(runs / name)
    return Run(runs / name)


@dataclass(frozen=True)
class Served:
    """Item vectors that serve: of every click of the snapshot, held-out queries included.

    Attributes:
        vectors: As searched.
        lengths: Of the sums that they are the directions of.
        text_lengths: Of E(z) + w_z + δ · A(z), where w_z or δ is not 0.
    """

    vectors: Vectors
    lengths: Vectors
    text_lengths: Vectors | None


def _served(outcome: Outcome) -> Served:
    scratch = outcome.data.scratch
    own = _texts_of_items(outcome)
    adds = outcome.composition.adds_to_text
    summed = _composed(outcome, units(own, scratch) if adds else own)
    vectors = summed if outcome.composition == PLAIN else units(summed, scratch)
    if outcome.scoring.is_wide:
        vectors = widened(vectors, outcome.data.clicks.per_item()[1], scratch)
    return Served(vectors, _lengths(summed), _lengths(own) if adds else None)


def _items(outcome: Outcome, served: Served) -> Iterator[Table]:
    clicks, degree = outcome.data.clicks.per_item()
    text_lengths = served.text_lengths
    for page in outcome.data.texts["Item"].pages():
        some = page.rows
        yield Table(
            page.ids,
            page.texts,
            clicks[some],
            degree[some],
            page.payloads,
            served.vectors[some],
            lengths=served.lengths[some],
            text_lengths=None if text_lengths is None else text_lengths[some],
        )


def _texts_of_items(outcome: Outcome) -> Vectors:
    """Return E(z) + w_z + δ · A(z)."""
    encoded = outcome.encoded
    return with_anchors(_learnt(outcome), encoded.anchors, outcome.composition, encoded.scratch)


def _learnt(outcome: Outcome) -> Vectors:
    if not outcome.composition.residual:
        return outcome.encoded.items
    if outcome.learnt is not None:
        return outcome.learnt
    return learn_residual(outcome.encoded, outcome.data.clicks, outcome.data.excluded, outcome.settings.seed)


def _composed(outcome: Outcome, items: Vectors) -> Vectors:
    if not outcome.composition.alpha:
        return items
    clicks, scratch = outcome.data.clicks, outcome.data.scratch
    degree_L = clicks.per_item()[1]
    mean_LD = mean_of_queries(outcome.encoded.queries, clicks, scratch)
    how, titles_LD = outcome.composition, outcome.encoded.items
    near_LD = means_of_nearest(titles_LD, mean_LD, degree_L, scratch) if how.borrowed else None
    return sums(items, mean_LD, degree_L, how, scratch, borrowed_LD=near_LD)


def _lengths(summed: Vectors) -> Vectors:
    parts = [np.linalg.norm(summed[some], axis=1) for some in pieces(len(summed))]
    lengths: Vectors = np.concatenate(parts).astype(np.float32)
    return lengths


def _queries(outcome: Outcome, votes: Clicks) -> Iterator[Table]:
    clicks, degree = outcome.data.clicks.per_query()
    scoring = outcome.scoring
    for page in outcome.data.texts["Query"].pages():
        some = page.rows
        vectors = scoring.ready(outcome.encoded.queries[some], scoring.one)
        payloads = payloads_of_queries(votes, some)
        yield Table(page.ids, page.texts, clicks[some], degree[some], payloads, vectors)


def _manifest(outcome: Outcome, name: str, encoder_hash: str) -> dict[str, Any]:
    items, queries = outcome.encoded.items, outcome.encoded.queries
    width = items.shape[1] + outcome.scoring.extra
    return {
        "run": name,
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "encoder": outcome.settings.encoder,
        "encoder_hash": encoder_hash,
        "width": width,
        "items": len(items),
        "queries": len(queries),
        "graph": outcome.settings.graph,
        "composition": asdict(outcome.composition),
        "scoring": asdict(outcome.scoring),
        "seed": outcome.settings.seed,
        "snapshot": outcome.data.snapshot.as_json(),
        **({"derived_from": outcome.derived_from} if outcome.derived_from else {}),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
    }
