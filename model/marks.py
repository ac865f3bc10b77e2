"""What a recipe reaches on held-out queries, and whether it costs a slice of the items.

Shape letters: G gold pairs, Q held-out queries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.model.metrics import Gold

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

SLICES: Mapping[str, tuple[int, float]] = {"never": (0, 1), "tail": (1, 5), "torso": (5, 50), "head": (50, np.inf)}
"Slice to the distinct training queries that clicked an item of it, from the first number to below the second."
AS_NEW = "as_new"
"Slice of the tail's items again, ranked as if nobody had clicked them."
FEW = 30
"Queries below which a slice says too little to decide."
NOISE = 2.0
"Standard errors of the mean paired difference that count as noise: about the 95 % interval."


def in_slices(degree_G: Rows) -> dict[str, Flags]:
    """Return which of the items of these degrees, distinct training queries that clicked them, are in each slice."""
    return {name: (degree_G >= least) & (degree_G < below) for name, (least, below) in SLICES.items()}


@dataclass(frozen=True)
class Marks:
    """What one recipe reaches, in percent.

    Attributes:
        p1: P@1.
        psp5: PSP@5.
        r10: R@10.
        slices: Of :data:`SLICES` and :data:`AS_NEW`, R@10 over the slice's gold items, of each query that has such.
    """

    p1: float
    psp5: float
    r10: float
    slices: Mapping[str, Floats]

    @property
    def score(self) -> float:
        """What recipes are chosen by: the mean of P@1, PSP@5 and R@10, for the first place, rare items and breadth."""
        return (self.p1 + self.psp5 + self.r10) / 3

    @property
    def by_slice(self) -> dict[str, float]:
        """R@10 of each slice, 0 where no query has gold there."""
        return {name: round(_mean(found_Q), 3) for name, found_Q in self.slices.items()}

    def shortfall(self, plain: Marks) -> float:
        """Return what slices fare worse than under ``plain``, marks of the same queries, beyond noise; 0 spares all.

        Points of R@10, added up over the slices.
        """
        return sum(_beyond_noise(plain.slices[name] - found_Q) for name, found_Q in self.slices.items())

    def worst_loss(self, plain: Marks) -> float:
        """Return what the slice that fares worst loses in R@10 against ``plain``; 0 where none does.

        Slices with fewer than :data:`FEW` queries do not count.
        """
        losses = [plain.slices[name] - found_Q for name, found_Q in self.slices.items() if found_Q.size >= FEW]
        return max([0.0, *(float(loss_Q.mean()) for loss_Q in losses)])


def marks_of(
    rank_G: Rows,
    as_new_G: Rows,
    gold: Gold,
    counted_Q: Flags,
    degree_G: Rows,
    gain_G: Floats,
    attainable: float,
) -> Marks:
    """Return the marks of ranks.

    Args:
        rank_G: Place of each gold pair's item, from 0; 10 for all later ones.
        as_new_G: The same, where items of the tail are ranked as if nobody had clicked them.
        gold: The pairs.
        counted_Q: True for the queries that figures are means over; the others count in slices alone.
        degree_G: Distinct training queries that clicked each pair's item.
        gain_G: 1/p of each pair's item.
        attainable: What the best five items of every counted query would gain.
    """
    positions = gold.positions
    counted_G = counted_Q[positions]
    first_Q = np.bincount(positions, weights=rank_G == 0)[np.unique(positions[counted_G])].astype(np.float64)

    def recall(of_G: Flags, by_G: Rows = rank_G) -> Floats:
        return 100 * _recall(positions[of_G], by_G[of_G] < 10, len(gold.sizes))

    inside = in_slices(degree_G)
    return Marks(
        p1=100 * _mean(first_Q),
        psp5=100 * float(gain_G[counted_G & (rank_G < 5)].sum()) / attainable if counted_G.any() else 0.0,
        r10=_mean(recall(counted_G)),
        slices={name: recall(inside_G) for name, inside_G in inside.items()}
        | {AS_NEW: recall(inside["tail"], as_new_G)},
    )


def _recall(positions: Rows, found_G: Flags, n_queries: int) -> Floats:
    size_Q = np.bincount(positions, minlength=n_queries)
    found_Q = np.bincount(positions, weights=found_G, minlength=n_queries)
    recall: Floats = found_Q[size_Q > 0] / size_Q[size_Q > 0]
    return recall


def _mean(values: Floats) -> float:
    return float(values.mean()) if values.size else 0.0


def _beyond_noise(loss_Q: Floats) -> float:
    """Return what a mean loss is above the noise; 0 where it is not, or of too few queries."""
    if loss_Q.size < FEW:
        return 0.0
    return max(0.0, float(loss_Q.mean() - NOISE * np.sqrt(np.mean(loss_Q**2) / loss_Q.size)))
