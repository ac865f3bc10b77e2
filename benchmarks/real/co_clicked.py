"""``CO_CLICKED`` by pandas alone, from tables of clicks and sessions, to be held against the graph."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.ingest.co_clicked import MAX_ITEMS, MAX_MATES, TOP, draw

_QUERIES_A_TIME = 5_000


def co_clicked(clicks: pd.DataFrame, sessions: pd.DataFrame) -> pd.Series:
    """Return the cosine of each item with those nearest to it.

    Args:
        clicks: Columns query, item (rows of the graph, since they decide among equals) and clicks; unique pairs.
        sessions: Columns query, mate (rows) and sessions; unique pairs.

    Returns:
        Cosines by (source, target).
    """
    own = _first(clicks, "query", "item", "clicks", MAX_ITEMS)[["query", "item"]]
    mates = _first(sessions, "query", "mate", "sessions", MAX_MATES)[["query", "mate"]]
    taken = mates.merge(own.rename(columns={"query": "mate"}), on="mate")[["query", "item"]]
    votes = pd.concat([own.assign(votes=MAX_MATES + 1), taken.assign(votes=1)])
    votes = votes.groupby(["query", "item"], as_index=False)["votes"].sum()
    vouched = _first(votes, "query", "item", "votes", MAX_ITEMS)[["query", "item"]]
    both = _counts(vouched)
    source, target = both.nonzero()
    alone = both.diagonal()
    found = pd.DataFrame({"source": source, "target": target})
    found["cosine"] = both[source, target] / np.sqrt(alone[source].astype(float) * alone[target])
    found = found[found["source"] != found["target"]]
    found = found.sort_values(["source", "cosine", "target"], ascending=[True, False, True])
    return found.groupby("source").head(TOP).set_index(["source", "target"])["cosine"].sort_index()


def _first(table: pd.DataFrame, group: str, member: str, size: str, limit: int) -> pd.DataFrame:
    drawn = table.assign(draw=draw(table[group].to_numpy(), table[member].to_numpy()))
    drawn = drawn.sort_values([group, size, "draw"], ascending=[True, False, True])
    return drawn.groupby(group).head(limit)


def _counts(vouched: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Count for each two items the queries that vouch for both."""
    items = int(vouched["item"].max()) + 1
    counts = np.zeros(items * items, np.int64)
    pages = vouched["query"] // _QUERIES_A_TIME
    for _, page in vouched.groupby(pages):
        pairs = page.merge(page, on="query")
        counts += np.bincount(pairs["item_x"] * items + pairs["item_y"], minlength=items * items)
    return counts.reshape(items, items)
