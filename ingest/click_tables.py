"""What a click log comes down to: its queries, its items, and the clicked pairs."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as f

from recsys.core.columns import COUNT, FIRST_SEEN, ITEM_ID, ITEM_TITLE, LAST_SEEN, QUERY_ID, QUERY_TEXT, TIMESTAMP


def queries_of(clicks: DataFrame) -> DataFrame:
    """Return columns query_id, each once, and ``text``: the most clicked one."""
    counted = clicks.groupBy(QUERY_ID, QUERY_TEXT).agg(f.sum(COUNT).alias("n"))
    return counted.groupBy(QUERY_ID).agg(_text(QUERY_TEXT))


def items_of(clicks: DataFrame) -> DataFrame:
    """Return columns item_id, each once, ``text``, first_seen and last_seen.

    The text is the most clicked title, null where it has none. The times are the least and the greatest of its clicks,
    in ms since 1970 UTC, null where none has one.
    """
    times = f.min(TIMESTAMP).alias(FIRST_SEEN), f.max(TIMESTAMP).alias(LAST_SEEN)
    counted = clicks.groupBy(ITEM_ID, ITEM_TITLE).agg(f.sum(COUNT).alias("n"), *times)
    ends = f.min(FIRST_SEEN).alias(FIRST_SEEN), f.max(LAST_SEEN).alias(LAST_SEEN)
    return counted.groupBy(ITEM_ID).agg(_text(ITEM_TITLE), *ends)


def pairs_of(clicks: DataFrame, query: str = QUERY_ID, item: str = ITEM_ID) -> DataFrame:
    """Return columns ``query``, ``item``, clicks and last_at (ms since 1970 UTC, null where unknown)."""
    return clicks.groupBy(query, item).agg(f.sum(COUNT).alias("clicks"), f.max(TIMESTAMP).alias("last_at"))


def _text(name: str) -> Column:
    return f.min_by(name, f.struct(f.col(name).isNull(), -f.col("n"), f.col(name))).alias("text")
