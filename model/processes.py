"""The processes that train together, as `torchrun` and `accelerate launch` start them; alone there is one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import torch
from accelerate import PartialState
from accelerate.utils import broadcast_object_list

T = TypeVar("T")

PATIENCE = timedelta(hours=12)
"How long processes wait while the first one looks for hard negatives or writes the run."


def this_process() -> tuple[int, int]:
    """Return the number of this process and how many there are."""
    state = _state()
    return state.process_index, state.num_processes


def is_first() -> bool:
    """Whether this process is the one that writes files and speaks."""
    return this_process()[0] == 0


def from_first(make: Callable[[], T]) -> T:
    """Return in every process what ``make`` returns in the first, which alone calls it; the others wait for it."""
    _state()
    made: list[Any] = [make() if is_first() else None]
    broadcast_object_list(made)
    result: T = made[0]
    return result


def _state() -> PartialState:
    return PartialState(cpu=not torch.cuda.is_available(), timeout=PATIENCE)
