"""Packed page reads: integer ranges of rows in, parallel arrays out, never one record per pair."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.graph.client import Graph
from recsys.graph.schema import Label

Rows = npt.NDArray[np.int64]

Kind = tuple[str, Label]
"A relationship type and the label that it leads to."

PAGE_ROWS = 20_000
"Source rows per page: large enough that the round trip vanishes, small enough that a page stays a few MiB."

AT_ONCE = 2
"Pages of edges that are read at once."


@dataclass(frozen=True)
class Edges:
    """Edges of one page as parallel arrays.

    Attributes:
        source: Rows of the source nodes.
        target: Rows of the target nodes.
        clicks: Clicks of each edge, sessions of ``SAME_SESSION``; 1 for relations that carry neither.
    """

    source: Rows
    target: Rows
    clicks: Rows

    def where(self, kept_E: npt.NDArray[np.bool_]) -> Edges:
        """Return the edges for which ``kept_E`` is True, in their order."""
        return Edges(self.source[kept_E], self.target[kept_E], self.clicks[kept_E])


@dataclass(frozen=True)
class Nodes:
    """Nodes of one page, in row order.

    Attributes:
        rows: Dense integers.
        ids: External ids.
        texts: Texts; the id stands in where a node has none.
        properties: Further properties.
    """

    rows: Rows
    ids: Sequence[str]
    texts: Sequence[str]
    properties: Sequence[Mapping[str, Any]]


def joined(pages: Sequence[Edges]) -> Edges:
    """Return the edges of all ``pages``, of which there is at least one, page after page."""
    if len(pages) == 1:
        return pages[0]
    return Edges(*(np.concatenate([getattr(page, name) for page in pages]) for name in ("source", "target", "clicks")))


def count_rows(graph: Graph, label: Label) -> int:
    """Return the number of rows of ``label``: its highest row plus one."""
    records = graph.read("MATCH (c:RowCounter {label: $label}) RETURN c.next AS next", label=label)
    return int(records[0]["next"]) if records else 0


def node_pages(graph: Graph, label: Label, stop: int, *, properties: bool = False) -> Iterator[Nodes]:
    """Yield the nodes with rows from 0 to ``stop`` (exclusive), page by page.

    Args:
        graph: Where to read.
        label: Which nodes.
        stop: Usually the snapshot's row count, so that later nodes stay out.
        properties: Read the further properties too.
    """
    further = "collect(properties(n))" if properties else "[]"
    query = (
        f"MATCH (n:{label}) WHERE n.row >= $start AND n.row < $stop WITH n ORDER BY n.row "
        f"RETURN collect(n.row) AS rows, collect(n.id) AS ids, collect(coalesce(n.text, n.id)) AS texts, "
        f"{further} AS properties"
    )
    for start, end in _ranges(stop):
        record = graph.read(query, start=start, stop=end)[0]
        extra = [{k: v for k, v in p.items() if k not in ("id", "text", "row")} for p in record["properties"]]
        yield Nodes(_array(record["rows"]), record["ids"], record["texts"], extra)


def edge_pages(graph: Graph, relation: str, source: Label, target: Label, stop: int) -> Iterator[Edges]:
    """Yield every edge of ``relation`` whose source row is below ``stop``, in order of source and target.

    While a page is used the next one is read: the server takes longer to make one than we to unpack it.
    """
    query = (
        f"MATCH (s:{source})-[r:{_types([relation])}]->(t:{target}) WHERE s.row >= $start AND s.row < $stop "
        "RETURN collect(s.row) AS source, collect(t.row) AS target, "
        "collect(coalesce(r.clicks, r.sessions, 1)) AS clicks"
    )

    def page(rows: tuple[int, int]) -> Edges:
        return sorted_edges(graph.read(query, relations=[relation], start=rows[0], stop=rows[1])[0])

    with ThreadPoolExecutor(AT_ONCE) as pool:
        coming: deque[Future[Edges]] = deque()
        for rows in _ranges(stop):
            coming.append(pool.submit(page, rows))
            if len(coming) == AT_ONCE:
                yield coming.popleft().result()
        while coming:
            yield coming.popleft().result()


def neighbours(graph: Graph, source: Label, rows: Sequence[int], kinds: Sequence[Kind]) -> dict[Kind, Edges]:
    """Return the edges that leave ``rows``, in one round trip.

    Args:
        graph: Where to read.
        source: Label of the nodes with these rows.
        rows: Distinct rows, in any order.
        kinds: Relationship types to follow, each with the label that it leads to.

    Returns:
        For every one of ``kinds`` its edges in order of source and target row, whatever order the store keeps.
    """
    relations = sorted({relation for relation, _ in kinds})
    query = (
        f"UNWIND $rows AS row MATCH (s:{source} {{row: row}})-[r:{_types(relations)}]->(t) "
        "RETURN type(r) AS relation, labels(t)[0] AS label, collect(s.row) AS source, collect(t.row) AS target, "
        "collect(coalesce(r.clicks, r.sessions, 1)) AS clicks"
    )
    found = {kind: no_edges() for kind in kinds}
    for record in graph.read(query, rows=list(rows), relations=relations) if relations else ():
        kind = (record["relation"], record["label"])
        if kind in found:
            found[kind] = sorted_edges(record)
    return found


def no_edges() -> Edges:
    """Return an empty page."""
    return sorted_edges({"source": [], "target": [], "clicks": []})


def sorted_edges(record: Mapping[str, Any]) -> Edges:
    """Return the edges of a record with the lists ``source``, ``target`` and ``clicks``, by source and target row."""
    source, target, clicks = (_array(record[name]) for name in ("source", "target", "clicks"))
    order = np.lexsort((target, source))
    return Edges(source[order], target[order], clicks[order])


def _types(relations: Sequence[str]) -> str:
    """Return a type expression for ``relations``, which the query takes as its parameter too.

    The server is a third slower with types that are parameters; only names that might end the quotes need it.
    """
    if all(re.fullmatch(r"\w+", relation) for relation in relations):
        return "|".join(f"`{relation}`" for relation in relations)
    return "$any($relations)"


def _ranges(stop: int) -> Iterator[tuple[int, int]]:
    for start in range(0, stop, PAGE_ROWS):
        yield start, min(start + PAGE_ROWS, stop)


def _array(values: Sequence[int]) -> Rows:
    return np.asarray(values, dtype=np.int64)
