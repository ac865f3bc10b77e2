"""The one retry policy: what may pass by itself is tried again for a while, with back-off."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import stamina

T = TypeVar("T")

PATIENCE_SECONDS = 30.0
"How long a vanished service is waited for before the command gives up."

_caller = stamina.RetryingCaller(attempts=None, timeout=PATIENCE_SECONDS, wait_max=5.0)


def retry(action: Callable[[], T], *, when: Callable[[Exception], bool]) -> T:
    """Call ``action`` until it succeeds, for at most :data:`PATIENCE_SECONDS`.

    Args:
        action: Something that is safe to do twice.
        when: True for an exception that may pass by itself; any other, and the last one, is raised.
    """
    return _caller(when, action)
