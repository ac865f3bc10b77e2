"""One training: from a starting encoder to the best one on held-out queries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
from datasets import Dataset
from sentence_transformers import SentenceTransformer
from torch.nn.attention import SDPBackend, sdpa_kernel
from transformers import PrinterCallback, get_scheduler

from recsys.core.memory import give_back
from recsys.core.settings import TrainSettings
from recsys.graph.client import Graph
from recsys.model.arguments import make_arguments, make_callbacks
from recsys.model.batch_reader import BatchReader
from recsys.model.choice import DEFAULT
from recsys.model.clustered_plan import ClusteredPlan
from recsys.model.collator import BatchCollator
from recsys.model.composition import PLAIN, Vectors
from recsys.model.data import TrainingData
from recsys.model.encode_rows import encode_rows
from recsys.model.encoder import is_static
from recsys.model.features import Features
from recsys.model.graph_weights import GraphWeights, make_weights
from recsys.model.hard_negatives import HardNegatives
from recsys.model.held_out_evaluator import HeldOutEvaluator
from recsys.model.losses.ramen import ClickLoss, RamenLoss
from recsys.model.plan import Rows, UniformPlan
from recsys.model.processes import this_process
from recsys.model.prune import Pruning
from recsys.model.snapshot import Snapshot
from recsys.model.stream import NeighbourStream
from recsys.model.trainer import GraphTrainer, PlanSampler, sparse_optimizer
from recsys.model.two_hop import TwoHop
from recsys.model.work import last_checkpoint

STATIC_LEARNING_RATE = 0.002
ATTENTION = [SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]
"Without cuDNN's, which makes a plan for every new shape: texts and anchors differ in number from step to step."


def fit(
    model: SentenceTransformer,
    features: Features,
    data: TrainingData,
    graph: Graph,
    settings: TrainSettings,
    evaluator: HeldOutEvaluator | None,
    directory: Path,
) -> list[dict[str, Any]]:
    """Train ``model`` in place and leave it at its best checkpoint.

    Args:
        model: Encoder to start from.
        features: Its inputs by row.
        data: What was read.
        graph: Live graph that the neighbours are streamed from.
        settings: How to train.
        evaluator: Measures on held-out queries; None where there are none, and then the last state is kept.
        directory: Of checkpoints; a training that was interrupted there goes on at its last one. Processes that train
            together share it.

    Returns:
        What was logged: loss components, and figures on held-out queries, by epoch and step.
    """
    data = data if settings.graph and settings.graph_weight else data.without_relations()
    plan = _plan(model, features, data, settings, directory).shard(*this_process())
    two_hop = TwoHop(data.training_clicks) if settings.graph and settings.two_hop else None
    hard_negatives = _hard_negatives(model, features, data, settings, directory)
    pruning = _pruning(model, features, graph, data.snapshot, settings, directory)
    reader = BatchReader(
        graph,
        data.snapshot,
        data.excluded,
        data.held_out,
        two_hop,
        hard_negatives,
        pruning,
        degree_cap=settings.degree_cap,
        seed=settings.seed,
        pages=data.pages,
    )
    weights = make_weights(settings.graph_weights, settings.graph_weight, _term_names(data.snapshot), settings.seed)
    with NeighbourStream(reader, plan, settings.seed) as stream:
        trainer = GraphTrainer(
            sampler=PlanSampler(plan, stream),
            model=model,
            args=make_arguments(model, settings, len(plan), directory, measured=evaluator is not None),
            train_dataset=Dataset(pa.table({"row": plan.rows})),
            weights=weights,
            loss=_loss(model, settings, weights),
            data_collator=BatchCollator(stream, features),
            evaluator=evaluator,
            optimizers=_optimizers(model, settings, len(plan) * settings.epochs),
            callbacks=make_callbacks(settings, directory, measured=evaluator is not None),
        )
        trainer.remove_callback(PrinterCallback)
        checkpoint = last_checkpoint(directory)
        with sdpa_kernel(ATTENTION):
            trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        # the trainer leaves bfloat16 behind in the model's forward; what it encodes from here on is kept
        trainer.accelerator.unwrap_model(model, keep_fp32_wrapper=False)
        history: list[dict[str, Any]] = trainer.state.log_history
    give_back()
    return history


def _plan(
    model: SentenceTransformer, features: Features, data: TrainingData, settings: TrainSettings, directory: Path
) -> UniformPlan:
    if settings.plan == "uniform":
        return UniformPlan(data.training_rows, settings.batch_size, settings.seed, data.scratch)

    def encode(rows: Rows) -> Vectors:
        return encode_rows(model, features, "Query", rows, settings.batch_size, data.scratch)

    return ClusteredPlan(data.training_rows, settings.batch_size, settings.seed, encode, directory)


def _pruning(
    model: SentenceTransformer,
    features: Features,
    graph: Graph,
    snapshot: Snapshot,
    settings: TrainSettings,
    directory: Path,
) -> Pruning | None:
    if not settings.prune_every:
        return None
    turns = {"after": settings.prune_after, "every": settings.prune_every}
    return Pruning(model, features, graph, snapshot, **turns, directory=directory, batch_size=settings.batch_size)


def _hard_negatives(
    model: SentenceTransformer, features: Features, data: TrainingData, settings: TrainSettings, directory: Path
) -> HardNegatives | None:
    if not settings.hard_negatives_every:
        return None
    return HardNegatives(
        model,
        features,
        data.training_clicks,
        data.excluded,
        DEFAULT.composition if settings.composes else PLAIN,
        every=settings.hard_negatives_every,
        directory=directory,
        batch_size=settings.batch_size,
        seed=settings.seed,
    )


def _loss(model: SentenceTransformer, settings: TrainSettings, weights: GraphWeights) -> RamenLoss:
    click_loss: ClickLoss = "triplet" if settings.loss == "chosen" else settings.loss
    part = 0 if is_static(model) else settings.mini_batch_size
    return RamenLoss(model, click_loss=click_loss, margin=settings.margin, graph_weight=weights, mini_batch_size=part)


def _term_names(snapshot: Snapshot) -> list[str]:
    """Return the graph terms as the loss knows them."""
    return [f"{relation.name} {relation.source.lower()}" for relation in snapshot.relations]


def _optimizers(model: SentenceTransformer, settings: TrainSettings, steps: int) -> tuple[Any, Any]:
    """Return sparse Adam and a linear decay for the static encoder; the trainer makes its own for others."""
    if not is_static(model):
        return None, None
    optimizer = sparse_optimizer(model, settings.learning_rate or STATIC_LEARNING_RATE)
    return optimizer, get_scheduler("linear", optimizer, num_warmup_steps=0, num_training_steps=steps)
