"""Where a training is reported to while it runs: TensorBoard, Weights & Biases, MLflow."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from transformers import TrainerCallback
from transformers.integrations.integration_utils import INTEGRATION_TO_CALLBACK

from recsys.core.errors import SetupError


class TrackerMissingError(SetupError):
    """A tracker's package is not installed."""

    def __init__(self, tracker: str) -> None:
        self.tracker = tracker
        super().__init__(
            f"train.report_to names {tracker}, whose package is not installed; `pip install {tracker}`, or leave it out"
        )


def check_trackers(names: Sequence[str]) -> None:
    """Refuse trackers that cannot be used, before anything is read.

    Raises:
        TrackerMissingError: A package is not installed.
    """
    for name in names:
        if find_spec(name) is None:
            raise TrackerMissingError(name)


def make_trackers(names: Sequence[str], logs: Path) -> list[TrainerCallback]:
    """Return the trainer's callbacks that report loss terms, learning rate and held-out figures.

    Args:
        names: ``tensorboard``, ``wandb`` or ``mlflow``; the last two are told where to report by their own environment.
        logs: Directory of TensorBoard's files.
    """
    return [_make(name, logs) for name in dict.fromkeys(names)]


def _make(name: str, logs: Path) -> TrainerCallback:
    callback: Any = INTEGRATION_TO_CALLBACK[name]
    if name == "tensorboard":
        from torch.utils.tensorboard import SummaryWriter  # its package is optional

        callback = partial(callback, SummaryWriter(str(logs)))
    made: TrainerCallback = callback()
    return made
