"""How a run's vectors are to be searched: what training chose, for serving and measuring to follow."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scoring:
    """Stands in the run's manifest and in the metadata of its collection.

    Attributes:
        bonus: β of a single search, in cosine: what an item that nobody clicked gets on top.
        votes: w, weight of the votes of the nearest training queries; 0 for none.
        votes_bonus: β where votes are added.
        popularity: ρ: an item that n queries clicked gets β·ρ·ln(1 + n) on top.
        prototypes: k, vectors of an item beside its own, at most (:mod:`recsys.core.prototypes`); they take the place
            of votes, so that one of the two is 0.
    """

    bonus: float = 0.0
    votes: float = 0.0
    votes_bonus: float = 0.0
    popularity: float = 0.0
    prototypes: int = 0

    @property
    def is_wide(self) -> bool:
        """Vectors have one more dimension, for the bonus, and are compared by dot product."""
        return self.bonus > 0 or self.votes_bonus > 0
