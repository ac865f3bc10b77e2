"""Checks of the ledger: nothing was broken off, and the clicks in the graph are those of the batches."""

from __future__ import annotations

import shlex

from recsys.graph.client import Graph
from recsys.graph.finding import Finding, found
from recsys.graph.schema import CLICKED


def unfinished_clicks(graph: Graph) -> bool:
    """Return whether a batch of clicks was begun and is not complete."""
    return bool(graph.read("MATCH (b:ClickBatch {kind: 'clicks', complete: false}) RETURN 1 AS one LIMIT 1"))


def check_batches(graph: Graph) -> Finding:
    """Every batch that was begun is complete."""
    records = graph.read(
        "MATCH (b:ClickBatch) WHERE NOT coalesce(b.complete, false) "
        "RETURN b.id AS id, b.kind AS kind, b.paths AS paths, any(f IN b.files WHERE f CONTAINS '~') AS again "
        "ORDER BY id"
    )
    places = [
        f"{r['id']}: `recsys ingest {shlex.join([r['kind'], *r['paths'], *['--again'] * r['again']])}`" for r in records
    ]
    return found("every batch is complete", places, "run these commands again, with the flags that they had")


def check_total(graph: Graph) -> Finding:
    """The clicks of all pairs add up to the clicks of all batches.

    While a batch is unfinished, or where a batch does not hold its clicks, there may be more in the graph but not less.
    """
    clicks = int(graph.read(f"MATCH ()-[c:{CLICKED}]->() RETURN sum(c.clicks) AS clicks")[0]["clicks"])
    batches = graph.read(
        "MATCH (b:ClickBatch {kind: 'clicks'}) RETURN sum(CASE WHEN b.complete THEN b.clicks END) AS clicks, "
        "count(CASE WHEN b.complete AND b.clicks IS NOT NULL THEN null ELSE 1 END) AS open"
    )[0]
    off = clicks - int(batches["clicks"])
    ok = off == 0 or (off > 0 and batches["open"] > 0)
    note = ""
    if batches["open"]:
        note = f"at least: {batches['open']:,} batches are unfinished or do not hold their clicks"
    return Finding(
        "clicks in the graph equal those of the batches",
        0 if ok else abs(off),
        () if ok else (f"{clicks:,} in the graph, {batches['clicks']:,} in batches",),
        "clicks were added or removed by other means than recsys: ingest again into an empty database",
        ok,
        note,
    )
