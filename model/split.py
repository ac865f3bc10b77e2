"""Which queries are held out of training to measure it."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
import numpy.typing as npt


def held_out(ids: Iterable[str], share: float) -> npt.NDArray[np.bool_]:
    """Mark the ids whose hash falls into the first ``share`` of its range.

    The choice depends on the id alone: it is the same in every run, on every machine and whatever else is in the graph.

    Args:
        ids: Query ids.
        share: From 0 (none) to 1 (all).
    """
    limit = int(share * 2**64)
    hashes = (blake2b(i.encode(), digest_size=8).digest() for i in ids)
    return np.fromiter((int.from_bytes(each, "big") < limit for each in hashes), dtype=bool)
