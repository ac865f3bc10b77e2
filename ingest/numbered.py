"""Dense integers for the rows of a table in its order, without bringing it to the driver."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as f

_PLACE_BITS: Final = 33  # of the numbers that Spark gives within a partition


@contextmanager
def numbered(table: DataFrame, by: str, number: str) -> Iterator[tuple[DataFrame, int]]:
    """Yield ``table`` with the place of each row in the order of ``by``, from 0, as column ``number``, and its rows.

    It is what :func:`recsys.ingest.stream.pages` counts by: the same order, the same numbers.

    Args:
        table: Its column ``by`` is unique.
        by: Column that orders it.
        number: Name of the new column, a long.
    """
    ordered = table.orderBy(by).withColumn("at", f.monotonically_increasing_id()).persist(StorageLevel.DISK_ONLY)
    try:
        partition = f.shiftright("at", _PLACE_BITS).cast("int")
        sizes = ordered.groupBy(partition.alias("partition")).agg(f.count("*").alias("rows")).collect()
        rows = {size["partition"]: size["rows"] for size in sizes}
        before = [sum(n for earlier, n in rows.items() if earlier < k) for k in range(max(rows, default=0) + 1)]
        place = f.col("at").bitwiseAND((1 << _PLACE_BITS) - 1)
        start = f.array(*map(f.lit, before))[partition].cast("long")
        yield ordered.withColumn(number, start + place).drop("at"), sum(rows.values())
    finally:
        ordered.unpersist()
