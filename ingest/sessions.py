"""``SAME_SESSION``: queries that were asked in one session within a window, counted by session."""

from __future__ import annotations

from typing import Any, Final

import pyarrow as pa
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as f

from recsys.core.columns import QUERY_ID, SESSION, TIMESTAMP
from recsys.graph.write import SAME_SESSION
from recsys.ingest.job import Stage
from recsys.ingest.stream import coded

REACH: Final = 5
"A query of a session pairs with at most this many that follow it, so that cost is linear in clicks."
MAX_DEGREE: Final = 1_000
"Edges that leave a query, per batch: those with the most sessions."

SAME_SESSION_NAME: Final = "SAME_SESSION"
"The relation."

_SOURCE, _TARGET = "source", "target"


def same_session(clicks: DataFrame, window_ms: int) -> Stage:
    """Return the stage that writes ``SAME_SESSION`` of these clicks."""
    return Stage(
        "same_session",
        session_pairs(clicks, window_ms),
        (_SOURCE, _TARGET),
        SAME_SESSION,
        _parameters,
        "relationships_created",
    )


def session_pairs(
    clicks: DataFrame, window_ms: int, reach: int = REACH, max_degree: int = MAX_DEGREE, *, name: str = QUERY_ID
) -> DataFrame:
    """Count in how many sessions two queries were asked close to each other.

    A query stands in its session once, at its first click. In order of time, and of a hash among equal or missing
    times, it pairs with the next ``reach`` queries whose first click comes within the window; where one of the two
    has no time, the session alone bounds them. Nothing depends on the order of rows or files.

    Args:
        clicks: Columns query_id, session (null where unknown) and timestamp (ms, null where unknown).
        window_ms: Largest distance of two first clicks.
        reach: Queries that one pairs with, of those that follow it.
        max_degree: Targets kept per source, those with the most sessions; ties go to the smaller id.
        name: Column that names queries in the result; one value per query id, in the order of the ids.

    Returns:
        Columns source, target and sessions, both directions of a pair.
    """
    order = Window.partitionBy(SESSION).orderBy(f.col("at").asc_nulls_last(), _shuffle(), QUERY_ID)
    keys = dict.fromkeys((SESSION, QUERY_ID, name))
    asked = clicks.where(f.col(SESSION).isNotNull()).groupBy(*keys).agg(f.min(TIMESTAMP).alias("at"))
    following = f.collect_list(f.struct(f.col(name).alias("query"), "at")).over(order.rowsBetween(1, reach))
    pairs = asked.withColumn("following", following).select(name, "at", f.explode("following").alias("next"))
    pairs = pairs.where(f.coalesce(f.col("next.at") - f.col("at") <= window_ms, f.lit(True)))
    ends = f.array(_ends(name, "next.query"), _ends("next.query", name))
    directed = pairs.select(f.inline(ends)).groupBy(_SOURCE, _TARGET).agg(f.count("*").alias("sessions"))
    rank = f.row_number().over(Window.partitionBy(_SOURCE).orderBy(f.col("sessions").desc(), _TARGET))
    return directed.withColumn("rank", rank).where(f.col("rank") <= max_degree).drop("rank")


def _shuffle() -> Column:
    return f.md5(f.concat_ws("\n", SESSION, QUERY_ID))


def _ends(source: str, target: str) -> Column:
    return f.struct(f.col(source).alias(_SOURCE), f.col(target).alias(_TARGET))


def _parameters(page: pa.RecordBatch) -> dict[str, Any]:
    source_ids, source = coded(page.column(_SOURCE))
    target_ids, target = coded(page.column(_TARGET))
    return {
        "source_ids": source_ids,
        "target_ids": target_ids,
        "source": source,
        "target": target,
        "sessions": page.column("sessions").to_pylist(),
    }
