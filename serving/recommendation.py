"""What a recommendation is, and why there may be none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from recsys.core.errors import DataError

Kind = Literal["text", "query", "item", "history"]
"What a recommendation is for."


class LiveRunMissingError(DataError):
    """The run directory behind the live collection is not here."""

    def __init__(self, run: str, runs_dir: Path, known: Sequence[str]) -> None:
        self.run = run
        self.known = tuple(known)
        super().__init__(
            f"the live collection was made from the run {run!r}, which texts and query ids need and which is not in "
            f"{runs_dir} (known: {', '.join(known) or 'none'}); put it there, or `recsys publish` one of these"
        )


class UnknownIdError(DataError):
    """No query, or no item, of the live run has this id."""

    def __init__(self, kind: Literal["query", "item"], external_id: str, close: Sequence[str]) -> None:
        self.kind = kind
        self.external_id = external_id
        self.close = tuple(close)
        hint = f"close: {', '.join(map(repr, close))}" if close else "none is close"
        super().__init__(
            f"the live run has no {kind} {external_id!r} ({hint}); `recsys recommend TEXT` takes any text and shows ids"
        )


@dataclass(frozen=True)
class Hit:
    """One recommended item.

    Attributes:
        rank: From 1.
        score: Cosine between query and item vector, -1 to 1, with the bonus and the votes of runs that give them; of a
            popular item, its clicks.
        id: External id of the item.
        title: Its text.
    """

    rank: int
    score: float
    id: str
    title: str


@dataclass(frozen=True)
class Origin:
    """Where hits come from.

    Attributes:
        collection: That was searched.
        run: That made it.
        encoder_hash: Of the run's encoder.
        way: ``vector``: a search. ``popular``: the items with the most clicks, in its place.
        because: Why there was no search, in words; None where there was one.
    """

    collection: str
    run: str
    encoder_hash: str
    way: Literal["vector", "popular"] = "vector"
    because: str | None = None


@dataclass(frozen=True)
class Recommendation:
    """The items for one query, best first.

    Attributes:
        kind: What ``query`` is.
        query: Text or id, as given.
        known: The stored vector of a training query or item was used; nothing was encoded.
        matched: False when the vector is zero, as for a text of unknown words only: there are no hits then, or popular
            ones.
        hits: At most k.
        origin: Where they come from.
    """

    kind: Kind
    query: str
    known: bool
    matched: bool
    hits: tuple[Hit, ...]
    origin: Origin
