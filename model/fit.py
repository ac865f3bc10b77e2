"""One training: from a starting encoder to the best one on held-out queries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainingArguments
from torch.nn.attention import SDPBackend, sdpa_kernel
from transformers import EarlyStoppingCallback, PrinterCallback, TrainerCallback, get_scheduler

from recsys.core.settings import TrainSettings
from recsys.graph.client import Graph
from recsys.model.batch import BatchReader
from recsys.model.choice import DEFAULT
from recsys.model.clustered_plan import ClusteredPlan
from recsys.model.collator import BatchCollator
from recsys.model.composition import PLAIN, Vectors
from recsys.model.data import TrainingData
from recsys.model.encoder import is_static
from recsys.model.features import Features, encode_rows
from recsys.model.graph_weights import GraphWeights, make_weights
from recsys.model.hard_negatives import HardNegatives
from recsys.model.held_out import HeldOutEvaluator
from recsys.model.losses.ramen import ClickLoss, RamenLoss
from recsys.model.plan import Rows, UniformPlan
from recsys.model.precision import has_bfloat16
from recsys.model.processes import is_first, this_process
from recsys.model.prune import Pruning
from recsys.model.report import ProgressBar
from recsys.model.snapshot import Snapshot
from recsys.model.stream import NeighbourStream
from recsys.model.trackers import make_trackers
from recsys.model.trainer import GraphTrainer, PlanSampler, sparse_optimizer
from recsys.model.two_hop import TwoHop
from recsys.model.work import last_checkpoint

STATIC_LEARNING_RATE = 0.002
TRANSFORMER_LEARNING_RATE = 2e-4
ATTENTION = [SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]
"Without cuDNN's, which makes a plan for every new shape: texts and anchors differ in number from step to step."
MEASUREMENTS = 10
"Measurements on held-out queries per training, about."
CHECKPOINT_STEPS = 2000
"Steps between measurements at most, so that little is lost when a long epoch is interrupted."


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
    two_hop = TwoHop(data.training_clicks, data.scratch) if settings.graph and settings.two_hop else None
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
            args=_arguments(model, settings, len(plan), directory, measured=evaluator is not None),
            train_dataset=Dataset.from_dict({"row": plan.rows}),
            weights=weights,
            loss=_loss(model, settings, weights),
            data_collator=BatchCollator(stream, features),
            evaluator=evaluator,
            optimizers=_optimizers(model, settings, len(plan) * settings.epochs),
            callbacks=_callbacks(settings, directory, measured=evaluator is not None),
        )
        trainer.remove_callback(PrinterCallback)
        checkpoint = last_checkpoint(directory)
        with sdpa_kernel(ATTENTION):
            trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        # the trainer leaves bfloat16 behind in the model's forward; what it encodes from here on is kept
        trainer.accelerator.unwrap_model(model, keep_fp32_wrapper=False)
        history: list[dict[str, Any]] = trainer.state.log_history
    return history


def _plan(
    model: SentenceTransformer, features: Features, data: TrainingData, settings: TrainSettings, directory: Path
) -> UniformPlan:
    if settings.plan == "uniform":
        return UniformPlan(data.training_rows, settings.batch_size, settings.seed)

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


def _callbacks(settings: TrainSettings, directory: Path, *, measured: bool) -> list[TrainerCallback]:
    """Return what follows the training; TensorBoard's files outlive ``directory``."""
    stopping = [EarlyStoppingCallback(settings.early_stopping)] if settings.early_stopping and measured else []
    if not is_first():
        return [*stopping]
    logs = directory.parent.parent / "tensorboard" / directory.name[1:7]
    return [*stopping, ProgressBar(), *make_trackers(settings.report_to, logs)]


def _arguments(
    model: SentenceTransformer, settings: TrainSettings, steps: int, directory: Path, *, measured: bool
) -> SentenceTransformerTrainingArguments:
    gpu = torch.cuda.is_available()
    every = min(steps * max(1, settings.epochs // MEASUREMENTS), CHECKPOINT_STEPS)
    return SentenceTransformerTrainingArguments(
        output_dir=str(directory),
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=settings.batch_size,
        learning_rate=settings.learning_rate or TRANSFORMER_LEARNING_RATE,
        warmup_steps=steps * settings.epochs // 10,
        max_grad_norm=0.0 if is_static(model) else 1.0,
        bf16=has_bfloat16(model.device),
        use_cpu=not gpu,
        dataloader_pin_memory=gpu,
        seed=settings.seed,
        eval_strategy="steps" if measured else "no",
        eval_steps=every,
        save_strategy="steps",
        save_steps=every,
        save_total_limit=2,
        load_best_model_at_end=measured,
        metric_for_best_model="score" if measured else None,
        logging_steps=max(1, min(50, steps)),
        report_to="none",
        restore_callback_states_from_checkpoint=True,
        disable_tqdm=True,
    )
