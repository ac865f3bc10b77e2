"""How an item's vector is composed: what training chooses, and what explanations take apart again.

Shape letters: L items.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
Weights = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Composition:
    """norm( E(z) + α · (s · own + ρ · (1 − s) · borrowed) ), with s = n/(n+c), n the number of clicking queries.

    Own is the mean of E(clicking queries), borrowed the mean of what the nearest other items have as their own.

    Attributes:
        alpha: α, weight that an item with many clicking queries gives to them; 0 leaves E(z).
        evidence: c, clicking queries at which half of α is given to them.
        residual: In place of E(z) stands norm(E(z) + w_z), with w_z learnt after the encoder.
        anchors: δ, and in its place norm(E(z) + w_z + δ · A(z)), with A(z) the mean of the item's anchors; w_z is 0
            without a residual.
        borrowed: ρ, how much of what is left of α goes to the queries of the nearest items.
    """

    alpha: float
    evidence: float
    residual: bool = False
    anchors: float = 0.0
    borrowed: float = 0.0

    @property
    def adds_to_text(self) -> bool:
        """Whether something else stands in place of E(z)."""
        return self.residual or self.anchors > 0


PLAIN = Composition(0.0, 0.0)


def weights_of_means(degree_L: npt.NDArray[np.int64], how: Composition) -> tuple[Weights, Weights]:
    """Return what items give to the mean of their own queries, α · s, and to the borrowed one, α · ρ · (1 − s).

    Args:
        degree_L: n of each item, distinct clicking queries.
        how: α, c and ρ.
    """
    share_L = degree_L / np.maximum(degree_L + how.evidence, 1)
    return how.alpha * share_L, how.alpha * how.borrowed * (1 - share_L)


def unit(vectors: Vectors) -> Vectors:
    """Scale rows to unit norm; a zero row stays zero."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(norms > 0, norms, 1)).astype(np.float32, copy=False)
