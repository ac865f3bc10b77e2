"""Held-out queries from a click log of its own, instead of a share of the graph's queries."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np

from recsys.core.errors import DataError
from recsys.core.run import Table
from recsys.graph.schema import Label
from recsys.model.clicks import Clicks
from recsys.model.held_out import HeldOut
from recsys.model.pairs import PairsByQuery, rows_of_pairs
from recsys.model.sample import LIMIT, measured
from recsys.model.task import Click, NoGoldError, build_task
from recsys.model.texts import Texts

Pair = tuple[str, str]


class NothingToMeasureError(DataError):
    """The validation log has no new click on an item of the graph."""

    def __init__(self, queries: int) -> None:
        self.queries = queries
        super().__init__(
            f"no click of the {queries:,} validation queries is on an item of the graph and new to it; give a log of "
            "the same items to --validation, or leave it out"
        )


def held_out_of_log(
    texts: Mapping[Label, Texts],
    clicks: Clicks,
    log: Sequence[Click],
    filtered: Iterable[Pair] = (),
    *,
    limit: int = LIMIT,
) -> HeldOut:
    """Hold out a log: every query of the graph trains, and the queries of the log are what is measured.

    A query of the log may be in the graph, and what it clicked there may be clicked again: of traffic to come this is a
    part, and :mod:`recsys.model.evaluate` counts it. A log without a pair that is new to the graph was most likely
    ingested, and shows only that training remembers. Items that the graph does not know are left out.

    Args:
        texts: Texts of queries and items.
        clicks: All clicks of the snapshot.
        log: (query id, query text, item id).
        filtered: (query id, item id) pairs that are neither gold nor ranked.
        limit: Of :func:`recsys.model.sample.measured`; the first queries are those of the lowest hash of their id.

    Raises:
        NothingToMeasureError: No pair is left, or none is new.
    """
    items = _items(texts["Item"])
    there = set(items.ids)
    queries = len({query for query, _, _ in log})
    asked = [click for click in log if click[2] in there]
    if _are_known({(query, item) for query, _, item in asked}, texts, clicks):
        raise NothingToMeasureError(queries)
    try:
        task = build_task(asked, items, filtered)
    except NoGoldError as error:
        raise NothingToMeasureError(queries) from error
    place_Q = np.argsort(np.argsort([_hash(query) for query in task.queries]))
    degree_G = clicks.per_item()[1][task.gold.indices]
    kept_Q = measured(place_Q[task.gold.positions], degree_G, len(place_Q), limit)[place_Q]
    task = task.of_queries(kept_Q)
    positions, rows = (np.asarray(side, dtype=np.int64) for side in task.excluded)
    rows_of_graph = np.empty(0, np.int64)
    counted = place_Q[kept_Q] < limit
    return HeldOut(texts, clicks, rows_of_graph, task.texts, task.gold, (positions, rows), counted)


def digest(log: Iterable[tuple[str, ...]]) -> str:
    """Return what tells one log, or filter, from another, whatever the order of its rows."""
    return hashlib.sha256(json.dumps(sorted(set(log))).encode()).hexdigest()


def _items(texts: Texts) -> Table:
    ids = texts.ids().to_pylist()
    nothing = np.zeros(len(ids), np.int64)
    return Table(ids, texts.all_texts(), nothing, nothing, (), np.zeros((len(ids), 0), np.float32))


def _are_known(pairs: Collection[Pair], texts: Mapping[Label, Texts], clicks: Clicks) -> bool:
    query, item = rows_of_pairs(pairs, texts["Query"], texts["Item"])
    return len(query) == len(pairs) and bool(PairsByQuery(clicks.query, clicks.item).holds(query, item).all())


def _hash(query: str) -> bytes:
    return hashlib.blake2b(query.encode(), digest_size=8).digest()
