"""What a recipe reaches on held-out queries, and whether it costs the items that few or none clicked.

Shape letter: Q held-out queries.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

FEW = 100
"Queries below which a slice says too little to decide."
RARE = 5
"Clicking training queries from which an item is no longer rare."


@dataclass(frozen=True)
class Marks:
    """What one recipe reaches, in percent.

    Attributes:
        p1: P@1.
        psp5: PSP@5.
        r10: R@10.
        never_Q: R@10 over the gold items without training clicks, of each query that has such.
        rare_Q: The same over those that fewer than :data:`RARE` training queries clicked.
    """

    p1: float
    psp5: float
    r10: float
    never_Q: Floats
    rare_Q: Floats

    @property
    def score(self) -> float:
        """What recipes are chosen by: the mean of P@1, PSP@5 and R@10, for the first place, rare items and breadth."""
        return (self.p1 + self.psp5 + self.r10) / 3

    @property
    def never(self) -> float:
        """Mean of ``never_Q``, 0 where there are none."""
        return float(self.never_Q.mean()) if self.never_Q.size else 0.0

    def spares_new_items(self, plain: Marks, errors: float = 2.0) -> bool:
        """Say whether items without training clicks fare no worse than under ``plain``; arguments as below."""
        return _is_noise(plain.never_Q - self.never_Q, errors)

    def spares_rare_items(self, plain: Marks, errors: float = 2.0) -> bool:
        """Say whether items without training clicks, and all rare ones, fare no worse than under ``plain``.

        Args:
            plain: Marks of the plain vectors on the same queries.
            errors: Standard errors of the mean paired difference that count as noise.
        """
        return self.spares_new_items(plain, errors) and _is_noise(plain.rare_Q - self.rare_Q, errors)


def _is_noise(loss_Q: Floats, errors: float) -> bool:
    return loss_Q.size < FEW or bool(loss_Q.mean() <= errors * np.sqrt(np.mean(loss_Q**2) / loss_Q.size))
