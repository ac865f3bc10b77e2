"""What recipes need of the queries, however items are composed: means, what held-out queries ask, votes, prototypes.

Shape letters: D embedding width, L items, Q held-out queries.
"""

from __future__ import annotations

from functools import cached_property

from recsys.core.prototypes import Prototypes
from recsys.model.borrowed import means_of_nearest
from recsys.model.clicks import Clicks
from recsys.model.composition import Vectors, mean_of_queries
from recsys.model.held_out import Encoded, HeldOut
from recsys.model.similarities import Similarities
from recsys.model.votes import Votes, ballots, collect_votes, prototypes_of_voters


class QuerySide:
    """Means, votes and prototypes of one moment of the encoder, made when they are first needed.

    Args:
        held_out: Who asks, and the training clicks, which are all that this knows.
        encoded: Vectors of all items and queries.
        often: Similarities to means are asked for in pass after pass, so that they are worth keeping.

    Attributes:
        mean_LD: From :func:`recsys.model.composition.mean_of_queries`.
        asked_QD: Vectors of the held-out queries.
    """

    def __init__(self, held_out: HeldOut, encoded: Encoded, *, often: bool = False) -> None:
        self._held_out = held_out
        self._often = often
        self._encoded = encoded
        self.mean_LD = mean_of_queries(encoded.queries, held_out.training_clicks, encoded.scratch)
        self.asked_QD = held_out.vectors(encoded)

    @cached_property
    def borrowed(self) -> Vectors:
        """What items may borrow, from :func:`recsys.model.borrowed.means_of_nearest`."""
        encoded = self._encoded
        return means_of_nearest(encoded.items, self.mean_LD, self._held_out.degree, encoded.scratch)

    @cached_property
    def similar_to_means(self) -> Similarities:
        """Similarities of the held-out queries to the means."""
        return self._similarities(self.mean_LD)

    @cached_property
    def similar_to_borrowed(self) -> Similarities:
        """Similarities of the held-out queries to what items may borrow."""
        return self._similarities(self.borrowed)

    def _similarities(self, items_LD: Vectors) -> Similarities:
        return Similarities(self.asked_QD, items_LD, self._encoded.scratch, keep=self._often)

    @cached_property
    def _ballots(self) -> Clicks:
        """What training queries vote for."""
        return ballots(self._held_out.training_clicks)

    @cached_property
    def votes(self) -> Votes:
        """What training queries give to items for each held-out query."""
        return collect_votes(self.asked_QD, self._encoded.queries, self._ballots)

    def prototypes(self, k: int) -> Prototypes | None:
        """Return up to ``k`` prototypes of each item; None for 0."""
        return prototypes_of_voters(self._ballots, self._encoded.queries, k)
