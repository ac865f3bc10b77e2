"""What a click log comes down to: its queries, its items, and the clicked pairs."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as f

from recsys.core.columns import COUNT, ITEM_ID, QUERY_ID, TIMESTAMP


def texts_of(clicks: DataFrame, key: str, text: str) -> DataFrame:
    """Return columns ``key``, each once, and ``text``: the most clicked one, null where it has none."""
    counted = clicks.groupBy(key, text).agg(f.sum(COUNT).alias("n"))
    return counted.groupBy(key).agg(f.min_by(text, _preference(text)).alias("text"))


def pairs_of(clicks: DataFrame, query: str = QUERY_ID, item: str = ITEM_ID) -> DataFrame:
    """Return columns ``query``, ``item``, clicks and last_at (ms since 1970 UTC, null where unknown)."""
    return clicks.groupBy(query, item).agg(f.sum(COUNT).alias("clicks"), f.max(TIMESTAMP).alias("last_at"))


def _preference(text: str) -> Column:
    return f.struct(f.col(text).isNull(), -f.col("n"), f.col(text))
