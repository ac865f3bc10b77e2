"""Labels, relationship types and constraints of the graph.

Every node that can be encoded has ``id`` (string, unique), ``text`` and ``row`` (dense integer from 0, unique per
label), so that pages are integer ranges and joins are integer joins.
"""

from __future__ import annotations

from typing import Literal

from recsys.graph.client import Graph

Label = Literal["Query", "Item", "Anchor"]
LABELS: tuple[Label, ...] = ("Query", "Item", "Anchor")
CLICKED = "CLICKED"
RESERVED_RELATIONS = frozenset({CLICKED, "SAME_SESSION", "CO_CLICKED"})
"Relations that recsys writes itself; a link table may not use these names."

_UNIQUE = (
    *((label, ("id",)) for label in LABELS),
    *((label, ("row",)) for label in LABELS),
    ("Relation", ("name", "source", "target")),
    ("ClickBatch", ("id",)),
    ("Chunk", ("id",)),
    ("RowCounter", ("label",)),
)


def constraint_names() -> list[str]:
    """Return the names of the constraints that :func:`ensure_schema` creates."""
    return [_name(label, keys) for label, keys in _UNIQUE]


def ensure_schema(graph: Graph) -> None:
    """Create missing uniqueness constraints and row counters; changes nothing when they exist."""
    for label, keys in _UNIQUE:
        properties = ", ".join(f"n.{key}" for key in keys)
        graph.command(
            f"CREATE CONSTRAINT {_name(label, keys)} IF NOT EXISTS FOR (n:{label}) REQUIRE ({properties}) IS UNIQUE"
        )
    graph.command("CALL db.awaitIndexes(300)")
    graph.write("UNWIND $labels AS label MERGE (c:RowCounter {label: label}) ON CREATE SET c.next = 0", labels=LABELS)


def missing_constraints(graph: Graph) -> list[str]:
    """Return the names of our constraints that the database lacks."""
    present = {record["name"] for record in graph.read("SHOW CONSTRAINTS YIELD name RETURN name")}
    return [name for name in constraint_names() if name not in present]


def _name(label: str, keys: tuple[str, ...]) -> str:
    return f"recsys_{label.lower()}_{'_'.join(keys)}"
