"""How an item's vector is composed: what training chooses, and what explanations take apart again.

Shape letters: L items.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Composition:
    """norm( E(z) + α · n/(n+c) · mean of E(clicking queries) ), n the number of clicking queries.

    Attributes:
        alpha: α, weight that an item with many clicking queries gives to them; 0 leaves E(z).
        evidence: c, clicking queries at which half of α is given.
        residual: In place of E(z) stands norm(E(z) + w_z), with w_z learnt after the encoder.
        anchors: δ, and in its place norm(E(z) + w_z + δ · A(z)), with A(z) the mean of the item's anchors; w_z is 0
            without a residual.
    """

    alpha: float
    evidence: float
    residual: bool = False
    anchors: float = 0.0

    @property
    def adds_to_text(self) -> bool:
        """Whether something else stands in place of E(z)."""
        return self.residual or self.anchors > 0


PLAIN = Composition(0.0, 0.0)


def shares_of_queries(degree_L: npt.NDArray[np.int64], how: Composition) -> npt.NDArray[np.float64]:
    """Return n/(n+c), the part of α that each item gives to its clicking queries; 0 without any."""
    share_L: npt.NDArray[np.float64] = degree_L / np.maximum(degree_L + how.evidence, 1)
    return share_L


def unit(vectors: Vectors) -> Vectors:
    """Scale rows to unit norm; a zero row stays zero."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(norms > 0, norms, 1)).astype(np.float32, copy=False)
