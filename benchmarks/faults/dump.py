"""The whole graph as something to compare: every node, relationship and property, the ledger too, but for times."""

from __future__ import annotations

import json
from typing import Any

from recsys.graph.client import Graph

TIMES = frozenset({"begun_at", "completed_at"})
"Properties that differ from one run to the next."

Dump = dict[str, list[str]]


def dump(graph: Graph, *, rows: bool = True) -> Dump:
    """Return label, and relationship type, to what there is of it, in order.

    Args:
        graph: What to read.
        rows: False where several ingests ran side by side: which came first is then open, so rows, counters and chunks
            are left out but for rows being dense.
    """
    found: Dump = {}
    for record in graph.read("MATCH (n) RETURN labels(n) AS labels, properties(n) AS p"):
        label, values = "+".join(record["labels"]), record["p"]
        found.setdefault(label, []).append(_text(values, TIMES if rows else TIMES | {"row", "next", "adopted"}))
        if not rows and "row" in values:
            found.setdefault(f"rows of {label}", []).append(f"{values['row']:012}")
    for record in graph.read(
        "MATCH (a)-[r]->(b) RETURN type(r) AS type, properties(r) AS p, "
        "labels(a) + coalesce(a.id, a.label) AS a, labels(b) + coalesce(b.id, b.label) AS b"
    ):
        found.setdefault(record["type"], []).append(f"{record['a']} {record['b']} {_text(record['p'])}")
    return {name: sorted(lines) for name, lines in sorted(found.items())}


def differences(one: Dump, other: Dump) -> list[str]:
    """Return up to a few lines that only one of the two has."""
    lines = []
    for name in sorted(one.keys() | other.keys()):
        left, right = set(one.get(name, ())), set(other.get(name, ()))
        lines += [f"- {name} {line}" for line in sorted(left - right)[:3]]
        lines += [f"+ {name} {line}" for line in sorted(right - left)[:3]]
        if left == right and one.get(name) != other.get(name):
            lines.append(f"* {name}: {len(one[name])} and {len(other[name])}")
    return lines


def _text(values: dict[str, Any], without: frozenset[str] = frozenset()) -> str:
    return json.dumps({k: v for k, v in values.items() if k not in without}, sort_keys=True, default=str)
