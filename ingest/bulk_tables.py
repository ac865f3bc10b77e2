"""The tables of a click log as CSV for Neo4j's importer: what the online path writes, node for node.

Spark writes the lines themselves: numbers as they are, texts in quotes with quotes doubled, nothing for null. So every
text arrives as it is, whatever it holds, and no CSV writer has an opinion.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as f

from recsys.core.columns import COUNT, FIRST_SEEN, ITEM_ID, LAST_SEEN, QUERY_ID, SESSION, TIMESTAMP
from recsys.core.files import write_text
from recsys.graph.batches import Batch
from recsys.graph.bulk_import import ARRAY_DELIMITER, ImportTable
from recsys.graph.schema import CLICKED, LABELS
from recsys.ingest.click_tables import items_of, pairs_of, queries_of
from recsys.ingest.numbered import numbered
from recsys.ingest.sessions import SAME_SESSION_NAME, session_pairs

_QUERY: Final = "query"
_ITEM: Final = "item"
_BROADCAST_ROWS: Final = 500_000
"Items up to which their rows fit everywhere at once, about 100 bytes each, which saves sorting the clicks by item."


def write_tables(clicks: DataFrame, batch: Batch, folder: Path) -> tuple[list[ImportTable], dict[str, int]]:
    """Write nodes, relationships and ledger of ``clicks``, the only batch of a new graph.

    Args:
        clicks: Good rows.
        batch: What the ledger will hold, complete.
        folder: Where the tables go; empty.

    Returns:
        The tables that have a row, and the totals of the batch as the online path counts them.
    """
    with (
        numbered(queries_of(clicks), QUERY_ID, _QUERY) as (queries, query_count),
        numbered(items_of(clicks), ITEM_ID, _ITEM) as (items, item_count),
    ):
        tables = [
            _write_nodes(queries, folder, "queries", "Query", _QUERY, QUERY_ID),
            _write_nodes(items, folder, "items", "Item", _ITEM, ITEM_ID, (FIRST_SEEN, LAST_SEEN)),
        ]
        known = items.select(ITEM_ID, _ITEM)
        joined = clicks.join(f.broadcast(known) if item_count <= _BROADCAST_ROWS else known, ITEM_ID)
        joined = joined.join(queries.select(QUERY_ID, _QUERY), QUERY_ID)
        rows = joined.select(_QUERY, _ITEM, QUERY_ID, SESSION, TIMESTAMP, COUNT)
        if batch.session_window:
            rows.persist(StorageLevel.DISK_ONLY)
        try:
            table, pairs = _write_pairs(rows, folder)
            tables.append(table)
            totals = {"queries": query_count, "items": item_count, **pairs}
            if batch.session_window:
                table, totals["same_session"] = _write_sessions(rows, folder, batch.session_window)
                tables += [table] if totals["same_session"] else []
        finally:
            rows.unpersist()
    return [*tables, *_write_ledger(folder, batch, totals)], totals


def _write_nodes(
    nodes: DataFrame, folder: Path, name: str, label: str, row: str, key: str, numbers: Sequence[str] = ()
) -> ImportTable:
    header = (f":ID({label})", "row:long", "id:string", "text:string", *(f"{number}:long" for number in numbers))
    table = ImportTable(name, "nodes", label, header, multiline=True)
    values = [f.col(row), f.col(row), _quoted(f.col(key)), _quoted(f.col("text")), *map(f.col, numbers)]
    _write(nodes, folder, table, values)
    return table


def _write_pairs(clicks: DataFrame, folder: Path) -> tuple[ImportTable, dict[str, int]]:
    pairs = pairs_of(clicks, _QUERY, _ITEM)
    header = (":START_ID(Query)", ":END_ID(Item)", "clicks:long", "last_at:long")
    table = ImportTable("pairs", "relationships", CLICKED, header)
    counts = Observation()
    observed = pairs.observe(counts, f.count("*").alias("pairs"), f.sum("clicks").alias("clicks"))
    _write(observed, folder, table, [f.col(name) for name in pairs.columns])
    return table, counts.get


def _write_sessions(clicks: DataFrame, folder: Path, window: int) -> tuple[ImportTable, int]:
    edges = session_pairs(clicks, window, name=_QUERY)
    header = (":START_ID(Query)", ":END_ID(Query)", "sessions:long")
    table = ImportTable("same_session", "relationships", SAME_SESSION_NAME, header)
    counts = Observation()
    observed = edges.observe(counts, f.count("*").alias("edges"))
    _write(observed, folder, table, [f.col(name) for name in ("source", "target", "sessions")])
    return table, int(counts.get["edges"])


def _write(rows: DataFrame, folder: Path, table: ImportTable, values: Sequence[Column]) -> None:
    line = f.concat_ws(",", *(f.coalesce(value.cast("string"), f.lit("")) for value in values))
    rows.select(line).write.text(f"file://{folder / table.name}")
    write_text(folder / table.header_name, ",".join(table.header) + "\n")


def _quoted(text: Column) -> Column:
    return f.concat(f.lit('"'), f.replace(text, f.lit('"'), f.lit('""')), f.lit('"'))


def _write_ledger(folder: Path, batch: Batch, totals: Mapping[str, int]) -> list[ImportTable]:
    now = dt.datetime.now(dt.UTC)
    entry = {
        "id": batch.id,
        "kind": batch.kind,
        "files": batch.files,
        "paths": batch.paths,
        "chunk_rows": batch.chunk_rows,
        "session_window": batch.session_window,
        "max_session_clicks": batch.max_session_clicks,
        "complete": True,
        "begun_at": now,
        "completed_at": now,
        **totals,
    }
    used = {"Query": totals["queries"], "Item": totals["items"]}
    counters = [
        {
            "label": label,
            "next": used.get(label, 0),
            "adopted": used.get(label),
            "locked": True if label in used else None,
        }
        for label in LABELS
    ]
    stages = ("queries", "items", "pairs", "same_session")
    chunks = [
        {"id": f"{batch.id}/{stage}/{number}"}
        for stage in stages
        for number in range(-(-totals.get(stage, 0) // batch.chunk_rows))
    ]
    relations = [{"name": SAME_SESSION_NAME, "source": "Query", "target": "Query", "origin": "derived"}]
    records: list[tuple[str, str, Sequence[Mapping[str, Any]]]] = [
        ("batches", "ClickBatch", [entry]),
        ("chunks", "Chunk", chunks),
        ("counters", "RowCounter", counters),
        ("relations", "Relation", relations if totals.get("same_session") else []),
    ]
    return [_write_records(folder, name, label, rows) for name, label, rows in records if rows]


def _write_records(folder: Path, name: str, label: str, records: Sequence[Mapping[str, Any]]) -> ImportTable:
    header = tuple(f"{key}:{_type_of([r[key] for r in records])}" for key in records[0])
    table = ImportTable(name, "nodes", label, header)
    lines = (",".join(_field(value) for value in record.values()) for record in records)
    write_text(folder / name / "part-0", "".join(f"{line}\n" for line in lines))
    write_text(folder / table.header_name, ",".join(header) + "\n")
    return table


def _type_of(values: Sequence[Any]) -> str:
    types = {bool: "boolean", int: "long", str: "string", tuple: "string[]", dt.datetime: "datetime"}
    return next((types[type(value)] for value in values if value is not None), "long")


def _field(value: Any) -> str:
    if isinstance(value, bool | int):
        return str(value).lower()
    if isinstance(value, dt.datetime):
        return value.isoformat()
    text = ARRAY_DELIMITER.join(value) if isinstance(value, tuple) else value
    return "" if text is None else '"' + text.replace('"', '""') + '"'
