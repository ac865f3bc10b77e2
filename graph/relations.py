"""The registry of relations: every relation that the sampler may draw from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from recsys.graph.client import Graph
from recsys.graph.schema import Label

Origin = Literal["ingested", "derived"]


@dataclass(frozen=True, order=True)
class Relation:
    """One anchor set with its edges.

    Attributes:
        name: Relationship type.
        source: Label of the nodes that draw.
        target: Label of the nodes that are drawn.
        origin: Whether the user gave it or we derived it.
    """

    name: str
    source: Label
    target: Label
    origin: Origin = "ingested"


def register(graph: Graph, relations: list[Relation]) -> None:
    """Enter ``relations`` into the registry; those that are in stay as they are."""
    graph.write(
        "UNWIND $rows AS r MERGE (x:Relation {name: r[0], source: r[1], target: r[2]}) ON CREATE SET x.origin = r[3]",
        rows=[[r.name, r.source, r.target, r.origin] for r in relations],
    )


def list_relations(graph: Graph) -> list[Relation]:
    """Return the registry in order of name, source and target."""
    records = graph.read("MATCH (x:Relation) RETURN x.name AS n, x.source AS s, x.target AS t, x.origin AS o")
    return sorted(Relation(r["n"], r["s"], r["t"], r["o"]) for r in records)
