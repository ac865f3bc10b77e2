"""``SAME_SESSION`` of a click log by pandas alone, to be held against the graph."""

from __future__ import annotations

import hashlib

import pandas as pd

from recsys.ingest.sessions import MAX_DEGREE, REACH


def same_session(clicks: pd.DataFrame, window_minutes: float) -> pd.Series:
    """Return in how many sessions two queries were asked close to each other.

    Args:
        clicks: Columns session_id, query_id and timestamp (Unix seconds, NaN where unknown).
        window_minutes: Largest distance of two first clicks, where both times are known.

    Returns:
        Sessions by (source, target), both directions.
    """
    asked = clicks.groupby(["session_id", "query_id"], as_index=False)["timestamp"].min()
    keys = asked["session_id"] + "\n" + asked["query_id"]
    asked["draw"] = [hashlib.md5(key.encode()).hexdigest() for key in keys]  # noqa: S324
    asked = asked.sort_values(["session_id", "timestamp", "draw", "query_id"], na_position="last")
    session = asked.groupby("session_id")
    pairs = []
    for step in range(1, REACH + 1):
        after = session[["query_id", "timestamp"]].shift(-step)
        near = after["query_id"].notna() & ~(after["timestamp"] - asked["timestamp"] > window_minutes * 60)
        pairs.append(pd.DataFrame({"source": asked["query_id"][near], "target": after["query_id"][near]}))
    forth = pd.concat(pairs)
    back = forth.rename(columns={"source": "target", "target": "source"})
    counts = pd.concat([forth, back]).value_counts(["source", "target"]).rename("sessions").reset_index()
    counts = counts.sort_values(["source", "sessions", "target"], ascending=[True, False, True])
    return counts.groupby("source").head(MAX_DEGREE).set_index(["source", "target"])["sessions"].sort_index()
