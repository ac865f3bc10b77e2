"""Memory that a process has freed."""

from __future__ import annotations

import ctypes


def give_back() -> None:
    """Return to the system what was freed: glibc keeps it, in holes that arrays of the next stage may not fit.

    Called between stages that take arrays of other sizes. Does nothing with other C libraries.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
