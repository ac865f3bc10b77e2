"""What the sentence-transformers trainer is told: its arguments, and what follows the training."""

from __future__ import annotations

from pathlib import Path

import torch
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainingArguments
from transformers import EarlyStoppingCallback, TrainerCallback

from recsys.core.settings import TrainSettings
from recsys.model.encoder import is_static
from recsys.model.precision import has_bfloat16
from recsys.model.processes import is_first
from recsys.model.report import ProgressBar
from recsys.model.trackers import make_trackers

TRANSFORMER_LEARNING_RATE = 2e-4
MEASUREMENTS = 10
"Measurements on held-out queries per training, about."
CHECKPOINT_STEPS = 2000
"Steps between measurements at most, so that little is lost when a long epoch is interrupted."


def make_callbacks(settings: TrainSettings, directory: Path, *, measured: bool) -> list[TrainerCallback]:
    """Return what follows the training; TensorBoard's files outlive ``directory``."""
    stopping = [EarlyStoppingCallback(settings.early_stopping)] if settings.early_stopping and measured else []
    if not is_first():
        return [*stopping]
    logs = directory.parent.parent / "tensorboard" / directory.name[1:7]
    return [*stopping, ProgressBar(), *make_trackers(settings.report_to, logs)]


def make_arguments(
    model: SentenceTransformer, settings: TrainSettings, steps: int, directory: Path, *, measured: bool
) -> SentenceTransformerTrainingArguments:
    """Return the arguments of a training.

    Args:
        model: The encoder, on its device.
        settings: How to train.
        steps: Of an epoch.
        directory: Of checkpoints.
        measured: There are held-out queries, by which the best checkpoint is known.
    """
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
        logging_nan_inf_filter=False,  # looking at every loss lets a GPU run out of work after every step
        report_to="none",
        restore_callback_states_from_checkpoint=True,
        disable_tqdm=True,
    )
