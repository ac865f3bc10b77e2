"""A small click log to break: several files, sessions, titles, times, counts, bad rows, and links from before."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import numpy as np

from recsys.graph import write
from recsys.graph.client import Graph
from recsys.graph.schema import ensure_schema

HEADER = ("query_text", "item_id", "item_title", "session", "timestamp", "count")
FILES = 3
Pairs = Counter[tuple[str, str]]


def write_logs(folder: Path, rows: int, seed: int = 0) -> Pairs:
    """Write files into ``folder`` and return their clicks per (query, item), counted here in plain Python."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    pairs: Pairs = Counter()
    for number in range(FILES):
        with (folder / f"{number}.csv").open("w", newline="") as file:
            out = csv.writer(file)
            out.writerow(HEADER)
            for row in range(rows // FILES):
                query, item = int(rng.zipf(1.4)) % 40, int(rng.zipf(1.3)) % 30
                session, count = int(rng.integers(rows // 6 + 1)), int(rng.integers(1, 4))
                bad = row % 17 == 16
                out.writerow(
                    (
                        f"query {query}",
                        f"i{item}",
                        f"Item {item}" if item % 3 else "",
                        f"s{session}",
                        1_700_000_000 + 60 * row + session,
                        "none" if bad else count,
                    )
                )
                if not bad:
                    pairs[f"query {query}", f"i{item}"] += count
    return pairs


def reset(graph: Graph) -> None:
    """Empty the graph but for links that start from items which the logs will bring."""
    graph.write("MATCH (n) DETACH DELETE n")
    ensure_schema(graph)
    ids = [f"i{item}" for item in range(0, 30, 2)]
    targets = [False] * len(ids) + [True]
    graph.write(write.LINK_ENDS, ids=[*ids, "tag"], texts=[None] * len(targets), is_target=targets)
    links = {"source": list(range(len(ids))), "target": [0] * len(ids), "relation": [0] * len(ids)}
    graph.write(write.LINKS, source_ids=ids, target_ids=["tag"], relations=["HAS_TAG"], **links)


def clicked(graph: Graph) -> Pairs:
    """Return the clicks per (query, item) that the graph holds."""
    records = graph.read("MATCH (q:Query)-[c:CLICKED]->(i:Item) RETURN q.text AS q, i.id AS i, c.clicks AS n")
    return Counter({(record["q"], record["i"]): record["n"] for record in records})
