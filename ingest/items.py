"""Item tables into the graph: titles and properties, where the table is the authority."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from pyspark.sql import functions as f

from recsys.core.columns import ITEM_ID, ITEM_TITLE
from recsys.graph.adopt import adopt
from recsys.graph.write import ITEM_TABLE
from recsys.ingest.clean import ITEMS, PROPERTIES
from recsys.ingest.job import Job, Stage, write_stage
from recsys.ingest.read import Source
from recsys.ingest.reading import opened
from recsys.ingest.summary import Summary


def load_items(job: Job, sources: Sequence[Source]) -> Summary:
    """Set title and properties of every item of ``sources``; of rows with the same id the last counts.

    Raises:
        FileUnreadableError, NoRowsError: The input cannot be used.
        GraphUnreachableError: Neo4j went away; run the same command again.
    """
    with opened(job, sources, ITEMS) as reading:
        summary = reading.summary
        summary.files_new = sum(1 for content in reading.found if content.kept)
        row = f.struct(ITEM_TITLE, PROPERTIES)
        last = reading.good(range(len(sources))).groupBy(ITEM_ID).agg(f.max_by(row, "position").alias("row"))
        table = last.select(ITEM_ID, f"row.{ITEM_TITLE}", f"row.{PROPERTIES}")
        write_stage(job, Stage("items", table, (ITEM_ID,), ITEM_TABLE, _parameters), summary)
        if job.graph is not None:
            summary.adopted = adopt(job.graph)
            summary.created["relationships_created"] += summary.adopted
    return summary


def _parameters(page: pa.RecordBatch) -> dict[str, Any]:
    return {
        "ids": page.column(ITEM_ID).to_pylist(),
        "texts": page.column(ITEM_TITLE).to_pylist(),
        "properties": [json.loads(text) for text in page.column(PROPERTIES).to_pylist()],
    }
