"""Link tables into the graph: relations from queries and items to anchors, and the anchors' texts."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as f

from recsys.core.columns import NODE_ID, NODE_TEXT, RELATION, SOURCE, TARGET
from recsys.graph import write
from recsys.graph.batches import Batch
from recsys.ingest.clean import LINKS, NODES, TARGET_TEXT
from recsys.ingest.job import Job, Stage, write_batches, write_stage
from recsys.ingest.read import Source
from recsys.ingest.reading import Reading, opened
from recsys.ingest.stream import coded
from recsys.ingest.summary import Summary


def load_links(job: Job, sources: Sequence[Source], nodes: Sequence[Source] = ()) -> Summary:
    """Add the links of ``sources`` to the graph, and set the texts of anchors that ``nodes`` names.

    The source of a link is the query and the item of that id, or an anchor while there is neither; the target is an
    anchor. Its text comes from ``nodes``, else ``target_text``, else the item or query of that id.

    Raises:
        FileUnreadableError, NoRowsError: The input cannot be used.
        BatchUnfinishedError, BatchTakenError: Other files come first.
        GraphUnreachableError: Neo4j went away; run the same command again.
    """
    with ExitStack() as stack:
        links = stack.enter_context(opened(job, sources, LINKS, skip=True))
        titles = stack.enter_context(opened(job, nodes, NODES)) if nodes else None  # refused before links are written
        write_batches(job, links, _stages)
        if titles is not None:
            links.summary.nodes = titles.summary
            _write_titles(job, titles, len(nodes), links.summary)
    return links.summary


def load_nodes(job: Job, nodes: Sequence[Source]) -> Summary:
    """Set the texts of anchors that ``nodes`` names.

    Raises:
        FileUnreadableError, NoRowsError: The input cannot be used.
        GraphUnreachableError: Neo4j went away; run the same command again.
    """
    with opened(job, nodes, NODES) as texts:
        texts.summary.files_new = len(nodes)
        _write_titles(job, texts, len(nodes), texts.summary)
    return texts.summary


def _write_titles(job: Job, texts: Reading, files: int, summary: Summary) -> None:
    last = texts.good(range(files)).groupBy(NODE_ID).agg(f.max_by(NODE_TEXT, "position").alias("text"))
    write_stage(job, Stage("titles", last, (NODE_ID,), write.ANCHOR_TEXTS, _texts), summary)


def _stages(links: DataFrame, _: Batch) -> list[Stage]:
    ends = links.select(
        f.col(SOURCE).alias("id"), f.lit(False).alias("is_target"), f.lit(None).cast("string").alias("text")
    )
    ends = ends.union(links.select(TARGET, f.lit(True), TARGET_TEXT))
    ends = ends.groupBy("id").agg(f.min("text").alias("text"), f.max("is_target").alias("is_target"))
    edges = links.select(SOURCE, RELATION, TARGET).distinct()
    return [
        Stage("link_ends", ends, ("id",), write.LINK_ENDS, _ends),
        Stage("links", edges, (SOURCE, RELATION, TARGET), write.LINKS, _edges, "relationships_created"),
    ]


def _texts(page: pa.RecordBatch) -> dict[str, Any]:
    return {"ids": page.column(0).to_pylist(), "texts": page.column(1).to_pylist()}


def _ends(page: pa.RecordBatch) -> dict[str, Any]:
    return {**_texts(page), "is_target": page.column(2).to_pylist()}


def _edges(page: pa.RecordBatch) -> dict[str, Any]:
    source_ids, source = coded(page.column(SOURCE))
    target_ids, target = coded(page.column(TARGET))
    relations, relation = coded(page.column(RELATION))
    return {
        "source_ids": source_ids,
        "source": source,
        "target_ids": target_ids,
        "target": target,
        "relations": relations,
        "relation": relation,
    }
