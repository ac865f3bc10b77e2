"""``recsys embed``: item and query vectors of a finished run again, from the graph as it is now."""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from recsys.core.golden import read_golden
from recsys.core.run import Run
from recsys.core.settings import TrainSettings
from recsys.graph.client import Graph
from recsys.model.anchors import anchors_of_items
from recsys.model.composition import Composition
from recsys.model.data import read_data, read_excluded
from recsys.model.encoder import load_encoder
from recsys.model.features import make_features
from recsys.model.held_out_evaluator import encode_all
from recsys.model.snapshot import Snapshot, take_snapshot
from recsys.model.write_run import Outcome, write_run

KEPT_FIGURES = ("held_out_queries", "plain", "chosen", "with_prototypes", "with_votes", "R@10_by_slice")
"Figures of the training that hold for its encoder and recipe, and stand in the new run too."


@dataclass(frozen=True)
class EmbedPlan:
    """What embedding would do.

    Attributes:
        run: Run that gives encoder, composition and scoring.
        items: Items now.
        queries: Queries now.
        clicked_pairs: Distinct pairs now.
        new_items: Items that the run did not have.
        new_queries: Queries that it did not have.
        new_pairs: Pairs that it did not have.
    """

    run: str
    items: int
    queries: int
    clicked_pairs: int
    new_items: int
    new_queries: int
    new_pairs: int


def plan_embedding(graph: Graph, run: Run) -> EmbedPlan:
    """Compare the graph with the run's snapshot.

    Raises:
        NoClicksError: The graph holds no clicks.
    """
    now, then = take_snapshot(graph, ()), run.manifest["snapshot"]
    return EmbedPlan(
        run=run.name,
        items=now.rows["Item"],
        queries=now.rows["Query"],
        clicked_pairs=now.clicked_pairs,
        new_items=now.rows["Item"] - then["rows"]["Item"],
        new_queries=now.rows["Query"] - then["rows"]["Query"],
        new_pairs=now.clicked_pairs - then["clicked_pairs"],
    )


def embed(graph: Graph, run: Run, runs: Path) -> Run:
    """Write a run with the encoder, composition and scoring of ``run`` and with vectors of the present graph.

    Nothing is trained or chosen. The figures on held-out queries are those of the training.

    Args:
        graph: Texts, clicks and, where vectors are composed with anchors, links are read from it.
        run: A finished run, trained or embedded.
        runs: Directory of all runs.

    Raises:
        NoClicksError: The graph holds no clicks.
    """
    settings = TrainSettings.model_validate_json((run.path / "settings.json").read_text(encoding="utf-8"))
    how = Composition(**run.manifest["composition"])
    snapshot = take_snapshot(graph, settings.relations if how.anchors else ())
    with tempfile.TemporaryDirectory(dir=runs, prefix=".embed-") as directory:
        data = read_data(graph, snapshot, Path(directory), 0, read_excluded(run.path))
        model = load_encoder(str(run.encoder_path), settings.max_length)
        encoded = encode_all(model, data.texts, settings.batch_size, data.scratch)
        if how.anchors:
            features = make_features(model, {"Anchor": data.texts["Anchor"]}, data.scratch)
            encoded = replace(encoded, anchors=anchors_of_items(model, features, data, graph, settings.batch_size))
        outcome = Outcome(
            encoder=run.encoder_path,
            data=data,
            encoded=encoded,
            composition=how,
            scoring=run.scoring,
            settings=settings,
            derived_from=_origin(run),
            golden=read_golden(run.path),  # the encoder is the same, and so are the vectors of these queries
        )
        figures = {name: run.metrics[name] for name in KEPT_FIGURES if name in run.metrics}
        return write_run(outcome, figures, runs, _name(run, snapshot))


def _origin(run: Run) -> dict[str, Any]:
    """Return the run that was embedded again, and the training that its encoder comes from."""
    manifest = run.manifest
    training = manifest.get("derived_from", {}).get("training", {"run": run.name, "snapshot": manifest["snapshot"]})
    return {"run": run.name, "training": training}


def _name(run: Run, snapshot: Snapshot) -> str:
    key = json.dumps([run.name, snapshot.as_json()], sort_keys=True)
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{hashlib.sha256(key.encode()).hexdigest()[:6]}"
