"""What a run is measured on: held-out queries, their gold items, and pairs that take no part."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import compress

import numpy as np
import numpy.typing as npt

from recsys.core.errors import DataError
from recsys.core.run import Table
from recsys.core.text import normalise
from recsys.model.metrics import Gold
from recsys.model.ranking import Pairs

Click = tuple[str, str, str]
"(query id, query text, item id)"


class NoGoldError(DataError):
    """The filter leaves no held-out click."""

    def __init__(self, queries: int) -> None:
        self.queries = queries
        super().__init__(
            f"the filter leaves no click of the {queries:,} held-out queries; check --filter, or run without it"
        )


@dataclass(frozen=True)
class Task:
    """Held-out queries with the items that answer them.

    Attributes:
        queries: Id of each query, ascending.
        texts: Their texts, the first one that the log gives for an id.
        gold: By query position and item row. Items that the run does not know have rows from ``n_items`` on, so that
            they stay in the gold as misses.
        excluded: Pairs never ranked: those of the filter, and each query's own page.
        n_items: Items of the run.
        dropped: Queries left out because no gold was left to them.
        unknown_items: Distinct gold items that the run does not know.
    """

    queries: Sequence[str]
    texts: Sequence[str]
    gold: Gold
    excluded: Pairs
    n_items: int
    dropped: int
    unknown_items: int

    @property
    def unknown_pairs(self) -> int:
        """Gold pairs whose item the run does not know; they bound what recall can reach."""
        return int((self.gold.indices >= self.n_items).sum())

    def of_queries(self, keep_Q: npt.NDArray[np.bool_]) -> Task:
        """Return the task of the queries where ``keep_Q`` is true."""
        place_Q = np.cumsum(keep_Q) - 1
        of_G, (position_P, row_P) = self.gold.positions, (np.asarray(side, np.int64) for side in self.excluded)
        kept_G, kept_P = keep_Q[of_G], keep_Q[position_P]
        return replace(
            self,
            queries=list(compress(self.queries, keep_Q)),
            texts=list(compress(self.texts, keep_Q)),
            gold=Gold.from_pairs(place_Q[of_G[kept_G]], self.gold.indices[kept_G], int(keep_Q.sum())),
            excluded=(place_Q[position_P[kept_P]], row_P[kept_P]),
        )


def build_task(clicks: Iterable[Click], items: Table, filtered: Iterable[tuple[str, str]] = ()) -> Task:
    """Group clicks by query and take out what does not count.

    A page may be both query and item; it is no answer to itself. It is told by the same id and the same normalised
    text, since ids alone may meet by chance.

    Args:
        clicks: The held-out log; repeated pairs count once.
        items: Items of the run.
        filtered: (query id, item id) pairs to leave out of gold and predictions.

    Raises:
        NoGoldError: Nothing is left to measure on.
    """
    row_of = {id_: row for row, id_ in enumerate(items.ids)}
    texts: dict[str, str] = {}
    pairs: set[tuple[str, str]] = set()
    for query, text, item in clicks:
        texts.setdefault(query, text)
        pairs.add((query, item))
    removed = {pair for pair in filtered if pair[0] in texts} | _own_pages(texts, row_of, items)
    pairs -= removed
    if not pairs:
        raise NoGoldError(len(texts))
    position = {query: p for p, query in enumerate(sorted({query for query, _ in pairs}))}
    unknown = sorted({item for _, item in pairs} - row_of.keys())
    excluded = [(position[q], row_of[i]) for q, i in removed if q in position and i in row_of]
    row_of |= {item: len(items.ids) + n for n, item in enumerate(unknown)}
    gold = np.array([(position[q], row_of[i]) for q, i in pairs], np.int64).reshape(-1, 2)
    banned = np.array(excluded, np.int64).reshape(-1, 2)
    return Task(
        queries=list(position),
        texts=[texts[query] for query in position],
        gold=Gold.from_pairs(gold[:, 0], gold[:, 1], len(position)),
        excluded=(banned[:, 0], banned[:, 1]),
        n_items=len(items.ids),
        dropped=len(texts) - len(position),
        unknown_items=len(unknown),
    )


def _own_pages(texts: dict[str, str], row_of: dict[str, int], items: Table) -> set[tuple[str, str]]:
    shared = texts.keys() & row_of.keys()
    return {(id_, id_) for id_ in shared if normalise(texts[id_]) == normalise(items.texts[row_of[id_]])}
