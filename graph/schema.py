"""Labels, relationship types and constraints of the graph.

Every node that can be encoded has ``id`` (string, unique), ``text`` and ``row`` (dense integer from 0, unique per
label), so that pages are integer ranges and joins are integer joins.
"""

from __future__ import annotations

from typing import Literal

from neo4j.exceptions import ClientError, DatabaseError

from recsys.core.errors import DataError
from recsys.graph.client import Graph

Label = Literal["Query", "Item", "Anchor"]
LABELS: tuple[Label, ...] = ("Query", "Item", "Anchor")
CLICKED = "CLICKED"

_UNIQUE = (
    *((label, ("id",)) for label in LABELS),
    *((label, ("row",)) for label in LABELS),
    ("Relation", ("name", "source", "target")),
    ("ClickBatch", ("id",)),
    ("Chunk", ("id",)),
    ("ReadFile", ("id",)),
    ("RowCounter", ("label",)),
)


class SchemaConflictError(DataError):
    """The database holds data or indexes of somebody else that our constraints cannot live with."""

    def __init__(self, constraint: str, reason: str) -> None:
        self.constraint = constraint
        super().__init__(
            f"cannot create the constraint {constraint} ({' '.join(reason.split())[:300]}); set neo4j.database to a "
            "database that recsys has to itself, or remove what is in its way, then run the same command again"
        )


def constraint_names() -> list[str]:
    """Return the names of the constraints that :func:`ensure_schema` creates."""
    return [_name(label, keys) for label, keys in _UNIQUE]


def ensure_schema(graph: Graph) -> None:
    """Create missing uniqueness constraints and row counters; changes nothing when they exist.

    Raises:
        SchemaConflictError: An index or data that we did not write is in the way.
    """
    missing = set(missing_constraints(graph))
    for label, keys in _UNIQUE:
        if _name(label, keys) in missing:
            _create_constraint(graph, label, keys)
    if missing:
        graph.command("CALL db.awaitIndexes(300)")
    graph.write("UNWIND $labels AS label MERGE (c:RowCounter {label: label}) ON CREATE SET c.next = 0", labels=LABELS)
    # In a graph of fewer than six relationships the planner merges a relation given by name by scanning them all, and
    # keeps that plan while they grow to many. These nine mean nothing.
    graph.write("MATCH (a:RowCounter), (b:RowCounter) MERGE (a)-[:BESIDE]->(b)")


def missing_constraints(graph: Graph) -> list[str]:
    """Return the names of our constraints that the database lacks."""
    present = {record["name"] for record in graph.read("SHOW CONSTRAINTS YIELD name RETURN name")}
    return [name for name in constraint_names() if name not in present]


def _create_constraint(graph: Graph, label: str, keys: tuple[str, ...]) -> None:
    name = _name(label, keys)
    properties = ", ".join(f"n.{key}" for key in keys)
    try:
        graph.command(f"CREATE CONSTRAINT {name} IF NOT EXISTS FOR (n:{label}) REQUIRE ({properties}) IS UNIQUE")
    except (ClientError, DatabaseError) as error:
        raise SchemaConflictError(name, error.message) from error


def _name(label: str, keys: tuple[str, ...]) -> str:
    return f"recsys_{label.lower()}_{'_'.join(keys)}"
