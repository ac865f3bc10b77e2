"""Memory that was freed."""

from __future__ import annotations

import ctypes

import numpy as np
import psutil
import pytest

from recsys.core.memory import give_back


@pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="other C libraries give memory back themselves"
)
def test_freed_memory_goes_back():
    """Of 100 MiB in small arrays every hundredth stays: what lies between them is the system's again."""
    process = psutil.Process()
    arrays = [np.ones(12_500) for _ in range(1000)]
    kept = arrays[::100]
    del arrays
    before = process.memory_info().rss
    give_back()
    assert before - process.memory_info().rss > 50 << 20
    assert len(kept) == 10
