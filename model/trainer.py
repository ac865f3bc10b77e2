"""The sentence-transformers trainer, fed by a batch plan and the neighbour stream."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sentence_transformers import SentenceTransformerTrainer
from torch.utils.data import BatchSampler
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from recsys.core.files import write_json
from recsys.core.memory import give_back
from recsys.model.graph_weights import GraphWeights
from recsys.model.plan import UniformPlan
from recsys.model.report import TERMS
from recsys.model.stream import NeighbourStream

WEIGHTS = "graph_weights.json"
"File of the graph weights in a checkpoint."
GIVEN_BACK = 100
"Steps between two times that freed memory is given back."


class PlanSampler(BatchSampler):
    """Yields the plan's batches as positions in the dataset of query rows, and starts the stream with each epoch.

    Of several processes each yields the batches of all shards in turn: accelerate passes over those of the others, and
    would cut a shard once more. The stream reads its own shard alone.

    Args:
        plan: Which rows come next; this process's shard.
        stream: Told about each epoch.
    """

    def __init__(self, plan: UniformPlan, stream: NeighbourStream) -> None:
        self.plan = plan
        self.stream = stream
        self.epoch = 0
        self.batch_size = plan.batch_size
        self.drop_last = False

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch of the next pass."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.plan) * self.plan.shards

    def __iter__(self) -> Iterator[list[int]]:
        self.stream.start(self.epoch)
        for batches in self.plan.steps(self.epoch):
            for rows in batches:
                yield np.searchsorted(self.plan.rows, rows).tolist()


class EpochOfPlan(TrainerCallback):
    """Tells the sampler about each epoch.

    Otherwise it would not hear of it behind two wrappers: one of a process's share, and one of batches that are passed
    over where a training goes on.

    Args:
        sampler: To be told.
    """

    def __init__(self, sampler: PlanSampler) -> None:
        self.sampler = sampler

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Pass it on."""
        self.sampler.set_epoch(int(state.epoch or 0))


class WeightSchedule(TrainerCallback):
    """Tells the weights about each step, and writes them into the history.

    Args:
        weights: Of the graph terms.
    """

    def __init__(self, weights: GraphWeights) -> None:
        self.weights = weights

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Make the weights ready."""
        due = self.weights.at(state.global_step, state.max_steps)
        entry = {f"weight {name}": weight for name, weight in self.weights.weight_of.items()}
        if due and entry:
            state.log_history.append({**entry, "epoch": state.epoch, "step": state.global_step})


class MemoryGivenBack(TrainerCallback):
    """Gives back what steps have freed, which differ in the sizes of their arrays and leave ever more holes."""

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Do so now and then."""
        if state.global_step % GIVEN_BACK == 0:
            give_back()


class GraphTrainer(SentenceTransformerTrainer):
    """Runs a plan. The dataset is the query rows, the batch sampler is the plan, the collator asks the stream.

    Args:
        sampler: Batches of the training data.
        weights: Of the graph terms; they follow the steps, stand in the history, and are kept with every checkpoint.
        **kwargs: What ``SentenceTransformerTrainer`` takes.
    """

    def __init__(self, *, sampler: PlanSampler, weights: GraphWeights, **kwargs: Any) -> None:
        self._plan_sampler = sampler
        self._weights = weights
        super().__init__(**kwargs)
        self.add_callback(WeightSchedule(weights))
        self.add_callback(EpochOfPlan(sampler))
        self.add_callback(MemoryGivenBack())

    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        # Here, because a checkpoint counts as whole once the trainer's state is written, which comes after this.
        super()._save_optimizer_and_scheduler(output_dir)
        if self.args.should_save:
            write_json(Path(output_dir) / WEIGHTS, self._weights.state())

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        super()._load_optimizer_and_scheduler(checkpoint)
        if checkpoint is not None:
            self._weights.restore(json.loads((Path(checkpoint) / WEIGHTS).read_text(encoding="utf-8")))

    def track_loss_components(self, loss: dict[str, torch.Tensor]) -> None:
        """Add up the components for the log; several processes wait for each other's, and so all name all of them."""
        if self.args.world_size > 1:
            none = next(iter(loss.values())).new_zeros(())
            loss = {**dict.fromkeys(TERMS, none), **loss}
        super().track_loss_components(loss)

    def get_batch_sampler(self, *args: Any, **kwargs: Any) -> BatchSampler:
        """Return the plan's batches."""
        return self._plan_sampler

    def _get_grad_norm(self, model: torch.nn.Module, grad_norm: Any = None) -> Any:
        # Logged only; over the dense shape of a sparse gradient it costs as much as the step itself.
        return grad_norm if grad_norm is not None or self.args.max_grad_norm > 0 else 0.0


def sparse_optimizer(model: torch.nn.Module, learning_rate: float) -> torch.optim.Optimizer:
    """Return per-row Adam, which touches only the tokens of a batch."""
    return torch.optim.SparseAdam(list(model.parameters()), lr=learning_rate)
