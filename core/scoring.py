"""How a run's vectors are to be searched: what training chose, for serving and measuring to follow."""

from __future__ import annotations

from dataclasses import dataclass

from recsys.core.bonus import WIDTH, Bonus, Vectors, widen_queries


@dataclass(frozen=True)
class Scoring:
    """Stands in the run's manifest and in the metadata of its collection.

    Attributes:
        bonus: β of a single search, in cosine: what an item that nobody clicked gets on top.
        popularity: γ of a single search: an item that n queries clicked gets γ·ln(1 + n) on top.
        votes: w, weight of the votes of the nearest training queries; 0 for none.
        votes_bonus: β where votes are added.
        votes_popularity: γ where votes are added.
        prototypes: k, vectors of an item beside its own, at most (:mod:`recsys.core.prototypes`); they take the place
            of votes, so that one of the two is 0.
    """

    bonus: float = 0.0
    popularity: float = 0.0
    votes: float = 0.0
    votes_bonus: float = 0.0
    votes_popularity: float = 0.0
    prototypes: int = 0

    @property
    def one(self) -> Bonus:
        """Of a single search."""
        return Bonus(self.bonus, self.popularity)

    @property
    def voted(self) -> Bonus:
        """Where votes are added."""
        return Bonus(self.votes_bonus, self.votes_popularity)

    @property
    def chosen(self) -> Bonus:
        """Of the search that training chose."""
        return self.voted if self.votes else self.one

    @property
    def extra(self) -> int:
        """Dimensions of the vectors beyond the encoder's, for the bonus; with any they are compared by dot product."""
        return WIDTH if self.one or self.voted else 0

    def ready(self, query_BD: Vectors, bonus: Bonus) -> Vectors:
        """Return unit-norm query vectors as a search of the run's vectors with ``bonus`` takes them."""
        return widen_queries(query_BD, bonus) if self.is_wide else query_BD

    @property
    def is_wide(self) -> bool:
        """Vectors have these dimensions."""
        return self.extra > 0
