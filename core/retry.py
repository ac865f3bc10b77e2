"""The one retry policy: what may pass by itself is tried again for a while, with back-off."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import stamina

T = TypeVar("T")

PATIENCE_SECONDS = 30.0
"How long a vanished service is waited for before the command gives up."


def retry(action: Callable[[], T], *, when: Callable[[Exception], bool], patience: float = PATIENCE_SECONDS) -> T:
    """Call ``action`` until it succeeds.

    Args:
        action: Something that is safe to do twice.
        when: True for an exception that may pass by itself; any other, and the last one, is raised.
        patience: Seconds after which no further try is begun.
    """
    caller = stamina.RetryingCaller(attempts=None, timeout=patience, wait_max=5.0)
    return caller(when, action)
