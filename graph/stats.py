"""The graph in figures: nodes, clicks, how they are spread over items, and the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from recsys.graph.client import Graph
from recsys.graph.degrees import count_nodes
from recsys.graph.histogram import Histogram
from recsys.graph.pages import count_rows
from recsys.graph.schema import CLICKED, LABELS, Label

HEAD_PERCENT = 1
TAIL_CLICKS = 5


@dataclass(frozen=True)
class LabelStats:
    """Nodes of one label.

    Attributes:
        nodes: Nodes.
        rows: The row counter: how many nodes there should be.
        without_text: Nodes that have no text.
    """

    nodes: int
    rows: int
    without_text: int


@dataclass(frozen=True)
class ClickStats:
    """Clicks and their spread over items.

    Attributes:
        pairs: Distinct (query, item) pairs.
        clicks: Total over the pairs.
        earliest: Of the pairs' last clicks, in ms since 1970 UTC; None where no click has a time.
        latest: The last click of all, likewise.
        items_without: Items that were never clicked.
        items_few: Items under ``TAIL_CLICKS`` clicks, those without any among them.
        head_share: Share of the clicks on the most clicked ``HEAD_PERCENT`` of all items, in percent.
    """

    pairs: int
    clicks: int
    earliest: int | None
    latest: int | None
    items_without: int
    items_few: int
    head_share: float


@dataclass(frozen=True)
class LedgerStats:
    """What the ledger holds.

    Attributes:
        complete: Kind of batch to the batches that are in.
        incomplete: Kind of batch to those begun and not finished.
        chunks: Chunks that are in.
    """

    complete: dict[str, int]
    incomplete: dict[str, int]
    chunks: int


@dataclass(frozen=True)
class GraphStats:
    """All figures.

    Attributes:
        labels: Label to its nodes.
        clicks: Clicks.
        ledger: Ledger.
    """

    labels: dict[Label, LabelStats]
    clicks: ClickStats
    ledger: LedgerStats


def graph_stats(graph: Graph) -> GraphStats:
    """Return the figures of the graph; every clicked pair is visited twice, in the database."""
    return GraphStats({label: _label(graph, label) for label in LABELS}, _clicks(graph), _ledger(graph))


def _label(graph: Graph, label: Label) -> LabelStats:
    without = graph.read(f"MATCH (n:{label}) WHERE n.text IS NULL RETURN count(n) AS nodes")[0]["nodes"]
    return LabelStats(count_nodes(graph, label), count_rows(graph, label), without)


def _clicks(graph: Graph) -> ClickStats:
    pairs = graph.read(
        f"MATCH ()-[c:{CLICKED}]->() RETURN count(c) AS pairs, sum(c.clicks) AS clicks, "
        "min(c.last_at) AS earliest, max(c.last_at) AS latest"
    )[0]
    records = graph.read(
        f"MATCH (i:Item) CALL (i) {{ MATCH (i)<-[c:{CLICKED}]-() RETURN sum(c.clicks) AS clicks }} "
        "RETURN clicks, count(*) AS items"
    )
    items = Histogram({record["clicks"]: record["items"] for record in records})
    return ClickStats(
        **pairs.data(),
        items_without=items.below(1),
        items_few=items.below(TAIL_CLICKS),
        head_share=100 * items.top(HEAD_PERCENT) / max(items.total, 1),
    )


def _ledger(graph: Graph) -> LedgerStats:
    batches: dict[bool, dict[str, Any]] = {True: {}, False: {}}
    for record in graph.read(
        "MATCH (b:ClickBatch) RETURN b.kind AS kind, b.complete AS complete, count(*) AS batches ORDER BY kind"
    ):
        batches[record["complete"]][record["kind"]] = record["batches"]
    chunks = graph.read("MATCH (c:Chunk) RETURN count(c) AS chunks")[0]["chunks"]
    return LedgerStats(batches[True], batches[False], chunks)
