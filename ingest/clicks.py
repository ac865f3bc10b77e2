"""Click logs into the graph: queries, items and the clicks between them, each click exactly once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame

from recsys.core.columns import FIRST_SEEN, ITEM_ID, LAST_SEEN, QUERY_ID, SESSION
from recsys.graph import write
from recsys.graph.adopt import adopt
from recsys.graph.batches import Batch
from recsys.ingest.bulk import check_bulk, load_in_bulk
from recsys.ingest.clean import clicks_by
from recsys.ingest.click_tables import items_of, pairs_of, queries_of
from recsys.ingest.job import Job, Stage, write_batches
from recsys.ingest.read import Source
from recsys.ingest.reading import opened
from recsys.ingest.rules import EVERY_CLICK, Rules
from recsys.ingest.sessions import same_session
from recsys.ingest.stream import coded
from recsys.ingest.summary import Summary


def load_clicks(job: Job, sources: Sequence[Source], rules: Rules = EVERY_CLICK) -> Summary:
    """Add the clicks of ``sources`` to the graph; rows that are in, from whatever file, are not added again.

    Queries of one session within the job's window get ``SAME_SESSION``.
    A query with several texts keeps the most clicked, an item with several titles likewise; ties go to the smallest.
    An item keeps when it was first and last clicked.

    Args:
        job: What to work with.
        sources: The logs, with the columns of ``clicks_by(rules)``.
        rules: Which events count and how times are read.

    Raises:
        FileUnreadableError, NoRowsError: The input cannot be used.
        BatchUnfinishedError, BatchTakenError: Other files come first.
        GraphUnreachableError: Neo4j went away; run the same command again.
        BulkMasterError, GraphNotEmptyError, ImportFailedError: A bulk import cannot be, or failed.
    """
    if not any(SESSION in source.columns for source in sources):
        job = replace(job, session_window=0)
    check_bulk(job)
    with opened(job, sources, clicks_by(rules), skip=True) as reading:
        summary = reading.summary
        if load_in_bulk(job, reading):
            return summary
        write_batches(job, reading, _stages)
        if job.graph is not None:
            summary.adopted = adopt(job.graph)
            summary.created["relationships_created"] += summary.adopted
    return summary


def _stages(clicks: DataFrame, batch: Batch) -> list[Stage]:
    stages = [
        Stage("queries", queries_of(clicks), (QUERY_ID,), write.QUERIES, _nodes),
        Stage("items", items_of(clicks), (ITEM_ID,), write.ITEMS, _items),
        Stage("pairs", pairs_of(clicks), (QUERY_ID, ITEM_ID), write.CLICKS, _pairs, "relationships_created", "clicks"),
    ]
    return [*stages, same_session(clicks, batch.session_window)] if batch.session_window else stages


def _nodes(page: pa.RecordBatch) -> dict[str, Any]:
    return {"ids": page.column(0).to_pylist(), "texts": page.column(1).to_pylist()}


def _items(page: pa.RecordBatch) -> dict[str, Any]:
    return _nodes(page) | {name: page.column(name).to_pylist() for name in (FIRST_SEEN, LAST_SEEN)}


def _pairs(page: pa.RecordBatch) -> dict[str, Any]:
    query_ids, query = coded(page.column(QUERY_ID))
    item_ids, item = coded(page.column(ITEM_ID))
    return {
        "query_ids": query_ids,
        "item_ids": item_ids,
        "query": query,
        "item": item,
        "clicks": page.column("clicks").to_pylist(),
        "last_at": page.column("last_at").to_pylist(),
    }
