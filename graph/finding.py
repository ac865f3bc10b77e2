"""What a check of the graph found, and the way most checks look: matches of a pattern that should have none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from recsys.graph.client import Graph

EXAMPLES = 3


@dataclass(frozen=True)
class Finding:
    """The outcome of one check.

    Attributes:
        name: What should hold.
        count: How often it does not.
        examples: A few of those places.
        advice: What to do where it fails.
        ok: Whether it holds; a check may find things and still hold.
        note: What else there is to know, whatever the outcome.
    """

    name: str
    count: int
    examples: tuple[str, ...]
    advice: str
    ok: bool
    note: str = ""


def found(name: str, places: Sequence[str], advice: str) -> Finding:
    """Return the finding that fails where there are any ``places``."""
    return Finding(name, len(places), tuple(places[:EXAMPLES]), advice, not places)


def match_none(graph: Graph, name: str, patterns: Sequence[str], example: str, advice: str) -> Finding:
    """Count the matches of all ``patterns``, which should have none.

    Args:
        graph: Where to look.
        name: What should hold.
        patterns: Cypher up to the RETURN.
        example: Cypher of a string that names one match.
        advice: What to do where it fails.
    """
    count = 0
    examples: list[str] = []
    for pattern in patterns:
        here = graph.read(f"{pattern} RETURN count(*) AS n")[0]["n"]
        count += here
        if here and len(examples) < EXAMPLES:
            records = graph.read(f"{pattern} RETURN {example} AS example LIMIT $n", n=EXAMPLES - len(examples))
            examples += [record["example"] for record in records]
    return Finding(name, count, tuple(examples), advice, not count)
