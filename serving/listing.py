"""How hits are listed: page by page, varied, and with at most so many of one group.

All of it works on a ranking, whatever made it, and a page is always a part of one and the same list.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from recsys.core.errors import UsageError
from recsys.core.run import Vectors
from recsys.serving.only import Condition, Only
from recsys.serving.search import Group, Scored

POOL: Final = 200
"First items of a ranking that diversity puts in another order; those after them stay where they are."

Find = Callable[[int, Only], list[Scored]]
"Returns so many of the best items, best first."


class BadListingError(UsageError):
    """A listing that makes no sense."""

    def __init__(self, what: str, value: object, allowed: str) -> None:
        self.value = value
        super().__init__(f"{what} is {value!r}; it has to be {allowed}")


@dataclass(frozen=True)
class PerGroup:
    """At most so many hits of one group; items without the column are no group.

    Attributes:
        column: Of the payload; of a list each element is a group.
        most: Hits of one group, 1 or more.
    """

    column: str
    most: int

    def __post_init__(self) -> None:
        """Check it.

        Raises:
            BadListingError: ``most`` is below 1.
        """
        if self.most < 1:
            raise BadListingError(f"the most hits per {self.column}", self.most, "1 or more")

    @classmethod
    def parse(cls, text: str) -> PerGroup:
        """Read ``column=2``.

        Raises:
            BadListingError: ``text`` is no such thing.
        """
        column, _, most = text.rpartition("=")
        if not column or not most.isdecimal():
            raise BadListingError("the limit per group", text, "a column, = and a number, such as brand=2")
        return cls(column, int(most))


@dataclass(frozen=True)
class Listing:
    """Which part of the ranking is wanted, and how it is changed before.

    Attributes:
        offset: Hits that are passed over, those of the pages before.
        diversity: 0 for the order of the scores, up to 1 for items as unlike each other as can be.
        per_group: Limit, or None.
    """

    offset: int = 0
    diversity: float = 0.0
    per_group: PerGroup | None = None

    def __post_init__(self) -> None:
        """Check it.

        Raises:
            BadListingError: A number is out of range.
        """
        if self.offset < 0:
            raise BadListingError("the offset", self.offset, "0 or more")
        if not 0 <= self.diversity <= 1:
            raise BadListingError("the diversity", self.diversity, "between 0 and 1")

    def needed(self, k: int) -> int:
        """Return how much of the ranking a page of ``k`` hits depends on."""
        return max(POOL, self.offset + k) if self.diversity else self.offset + k


AS_RANKED: Final = Listing()


def within_groups(find: Find, needed: int, limit: PerGroup, only: Only) -> list[Scored]:
    """Return the first ``needed`` items of the ranking without those above the limit of a group; exact.

    What is asked for next leaves out the groups that are full, so that one large group costs one request more.

    Args:
        find: Gives the ranking, with the groups of each item.
        needed: Items wanted.
        limit: Per group.
        only: What may be a hit.
    """
    kept: list[Scored] = []
    full: set[Group] = set()
    while True:
        where = [*only.where, *(Condition(limit.column, "!=", group) for group in sorted(full, key=str))]
        found = find(2 * needed, Only(where, only.without))
        kept, full = _pass(sorted([*kept, *found], key=lambda item: -item.score), limit.most)
        if len(found) < 2 * needed or (len(kept) >= needed and kept[needed - 1].score >= found[-1].score):
            return kept[:needed]
        kept = [item for item in kept if full & set(item.groups)]


def varied(items: Sequence[Scored], vectors: Sequence[Vectors], diversity: float) -> list[Scored]:
    """Order items by maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998, equation 1).

    Next comes always the item with the highest (1 − d) · relevance − d · highest cosine with those before it. Relevance
    is the score in parts of the best one, so that votes do not outweigh all diversity.

    Args:
        items: Best first.
        vectors: Their vectors, of unit norm or zero.
        diversity: d.
    """
    if not items:
        return []
    best = items[0].score
    relevance = np.array([item.score / best if best > 0 else item.score for item in items])
    matrix, open_, order = np.stack(vectors), np.ones(len(items), dtype=bool), [0]
    alike = np.full(len(items), -np.inf)
    while len(order) < len(items):
        open_[order[-1]] = False
        alike = np.maximum(alike, matrix @ matrix[order[-1]])
        order.append(int(np.argmax(np.where(open_, (1 - diversity) * relevance - diversity * alike, -np.inf))))
    return [items[position] for position in order]


def _pass(found: Sequence[Scored], most: int) -> tuple[list[Scored], set[Group]]:
    """Return what the limit lets through, and the groups that are full then."""
    seen: Counter[Group] = Counter()
    passed = []
    for item in found:
        if all(seen[group] < most for group in item.groups):
            passed.append(item)
            seen.update(item.groups)
    return passed, {group for group, count in seen.items() if count >= most}
