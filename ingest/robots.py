"""Sessions with more clicks than a person makes."""

from __future__ import annotations

from typing import Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as f

from recsys.core.columns import COUNT, SESSION

ROBOT_SESSION: Final = "robot_session"
"Reason code of their rows."


def set_robots_aside(rows: DataFrame, most: int) -> DataFrame:
    """Give the rows of every session with more than ``most`` clicks the reason ``robot_session``.

    A session is counted within its file, so that what a file holds does not depend on the files beside it.

    Args:
        rows: Clicks as ``read_table`` returns them; their fields stay.
        most: Clicks of the largest session that is kept.
    """
    clicks = rows.where(f.col("reason").isNull() & f.col(SESSION).isNotNull()).groupBy("file", SESSION)
    robots = (
        clicks.agg(f.sum(COUNT).alias("n")).where(f.col("n") > most).select("file", SESSION, f.lit(True).alias("robot"))
    )
    marked = rows.join(f.broadcast(robots), ["file", SESSION], "left")
    reason = f.coalesce("reason", f.when(f.col("robot"), ROBOT_SESSION)).alias("reason")
    return marked.select(*(reason if name == "reason" else f.col(name) for name in rows.columns))
