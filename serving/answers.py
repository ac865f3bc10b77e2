"""From questions to recommendations: a page of the ranking each, or the most clicked items where there is none."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

from recsys.core.run import Vectors
from recsys.serving.listing import Listing, within_groups
from recsys.serving.only import Only
from recsys.serving.popular import Popular
from recsys.serving.qdrant_errors import is_transient
from recsys.serving.ranked import Ranker
from recsys.serving.recommendation import Hit, Kind, Origin, Recommendation
from recsys.serving.search import Scored

NO_VECTOR: Final = "the encoder knows nothing of what was asked"


@dataclass(frozen=True)
class Question:
    """What is asked.

    Attributes:
        kind: What ``label`` is.
        label: Text or ids, as given.
        known: The vector is a stored one; nothing was encoded.
        vector: Ready for a single search; zero where nothing is known.
    """

    kind: Kind
    label: str
    known: bool
    vector: Vectors


@dataclass(frozen=True)
class Wanted:
    """What is wanted.

    Attributes:
        k: Hits.
        only: What may be a hit.
        listing: How hits are listed.
        without: Ids that are no hits, a few.
        plain: Rank by vectors alone, without votes.
    """

    k: int
    only: Only
    listing: Listing
    without: Collection[str] = ()
    plain: bool = False


class Answers:
    """Answers questions to one collection."""

    def __init__(self, ranker: Ranker, origin: Origin, popular: Popular | None) -> None:
        """Note where answers come from.

        Args:
            ranker: Of the collection.
            origin: Of hits that were searched.
            popular: What is named in their place; None to fail instead.
        """
        self._ranker = ranker
        self._origin = origin
        self._popular = popular

    def to(
        self, kind: Kind, labels: Sequence[str], ask: Callable[[], Sequence[Question]], wanted: Wanted
    ) -> list[Recommendation]:
        """Answer what ``ask`` returns, one question for each of ``labels``; it may ask Qdrant itself."""
        try:
            return self._search(ask(), wanted)
        except Exception as error:
            if self._popular is None or not is_transient(error):
                raise
            because = f"Qdrant does not answer: {' '.join(str(error).split()) or type(error).__name__}"
            nothing = Recommendation(kind, "", known=False, matched=True, hits=(), origin=self._origin)
            return [self._instead(replace(nothing, query=label), because, wanted) for label in labels]

    def _search(self, asked: Sequence[Question], wanted: Wanted) -> list[Recommendation]:
        vectors = [question.vector for question in asked if question.vector.any()]
        listed = self._ranker.pages(
            vectors, wanted.k, wanted.only, wanted.listing, without=wanted.without, plain=wanted.plain
        )
        pages = iter(listed)
        answers = []
        for question in asked:
            matched = bool(question.vector.any())
            hits = _hits(next(pages), wanted.listing.offset) if matched else ()
            answer = Recommendation(question.kind, question.label, question.known, matched, hits, self._origin)
            answers.append(answer if matched else self._instead(answer, NO_VECTOR, wanted))
        return answers

    def _instead(self, answer: Recommendation, because: str, wanted: Wanted) -> Recommendation:
        if self._popular is None:
            return answer
        listing, limit, popular = wanted.listing, wanted.listing.per_group, self._popular
        needed = listing.offset + wanted.k

        def find(n: int, only: Only) -> list[Scored]:
            found = popular.find(n + len(wanted.without), only, limit.column if limit else None)
            return [item for item in found if item.id not in wanted.without][:n]

        items = within_groups(find, needed, limit, wanted.only) if limit else find(needed, wanted.only)
        origin = replace(self._origin, way="popular", because=because)
        return replace(answer, hits=_hits(items[listing.offset :], listing.offset), origin=origin)


def _hits(items: Sequence[Scored], offset: int) -> tuple[Hit, ...]:
    return tuple(Hit(rank, item.score, item.id, item.title) for rank, item in enumerate(items, start=offset + 1))
