"""What an item may borrow: the queries of the items nearest to it, in place of its own where these are few or none.

A mean over few queries says little, and its expectation, before any click, is what items like it have; so that mean is
drawn to this one, the more the fewer queries there are. An item that nobody clicked gets a place among the queries too.

Shape letters: D embedding width, K near items, L items.
"""

from __future__ import annotations

import numpy as np
import torch

from recsys.model.composition import Rows, Vectors
from recsys.model.nearest_clicked import nearest_clicked
from recsys.model.scratch import MEMORY, Scratch


def means_of_nearest(items_LD: Vectors, mean_LD: Vectors, degree_L: Rows, scratch: Scratch = MEMORY) -> Vectors:
    """Return for each item the mean of the means of its nearest clicked items, itself left out; 0 where there are none.

    They are as many as :func:`recsys.model.nearest_clicked.nearest_clicked` finds.

    Args:
        items_LD: E(z), unit norm.
        mean_LD: From :func:`recsys.model.composition.mean_of_queries`.
        degree_L: Distinct queries that clicked each item.
        scratch: Where the means live.
    """
    near_LK = nearest_clicked(items_LD, items_LD, degree_L, _itself, torch.device("cpu"), 0, scratch)

    def means(some: slice) -> Vectors:
        sum_ND = np.zeros((some.stop - some.start, mean_LD.shape[1]), np.float32)
        found_NK = near_LK[some] >= 0
        for near_N, found_N in zip(near_LK[some].T, found_NK.T, strict=True):
            sum_ND[found_N] += mean_LD[near_N[found_N]]
        mean_ND: Vectors = sum_ND / np.maximum(found_NK.sum(axis=1), 1).astype(np.float32)[:, None]
        return mean_ND

    return scratch.by_rows(items_LD.shape, means)


def _itself(some: slice) -> tuple[Rows, Rows]:
    rows = np.arange(some.start, some.stop)
    return rows - some.start, rows
