"""Brings sorted Spark tables to the driver page by page, as Arrow; the driver is the single writer of the graph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame


def pages(table: DataFrame, by: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
    """Yield ``table`` in order of ``by``, ``rows`` at a time.

    The pages do not depend on partitions or machines when ``by`` is unique.
    """

    def pack(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, batch.schema) as writer:
                writer.write_batch(batch)
            yield pa.RecordBatch.from_arrays([pa.array([sink.getvalue().to_pybytes()], pa.binary())], names=["page"])

    packed = table.orderBy(*by).mapInArrow(pack, "page binary").toLocalIterator(prefetchPartitions=True)
    waiting: list[pa.RecordBatch] = []
    count = 0
    for row in packed:
        waiting += pa.ipc.open_stream(bytes(row["page"]))
        count = sum(batch.num_rows for batch in waiting)
        while count >= rows:
            whole = pa.Table.from_batches(waiting).combine_chunks()
            yield whole.slice(0, rows).to_batches()[0]
            waiting = whole.slice(rows).to_batches()
            count -= rows
    if count:
        yield pa.Table.from_batches(waiting).combine_chunks().to_batches()[0]


def coded(column: pa.Array) -> tuple[list[Any], list[int]]:
    """Return the distinct values of ``column`` in order of appearance, and the index of each row's value."""
    encoded = pc.dictionary_encode(column)
    return encoded.dictionary.to_pylist(), encoded.indices.to_pylist()
