"""Relations that are computed anew as a whole: generations of edges, the newer in place of the older."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from recsys.graph.client import Graph
from recsys.graph.pages import PAGE_ROWS
from recsys.graph.relations import Relation, register

Rows = npt.NDArray[np.int64]
Measure = Literal["weight", "visits"]


def begin_generation(graph: Graph, relation: Relation) -> int:
    """Enter ``relation`` into the registry and return the number of a new generation of its edges."""
    register(graph, [relation])
    query = (
        "MATCH (x:Relation {name: $name, source: $source, target: $target}) "
        "SET x.generation = coalesce(x.generation, 0) + 1 RETURN x.generation AS generation"
    )
    ends = {"name": relation.name, "source": relation.source, "target": relation.target}
    generation = graph.transaction(lambda tx: tx.run(query, ends).single(strict=True)["generation"])
    return int(generation)


def write_weighted(
    graph: Graph,
    relation: Relation,
    generation: int,
    source: Rows,
    target: Rows,
    weight: npt.NDArray[np.float64] | Rows,
    measure: Measure = "weight",
) -> None:
    """Write edges with property ``measure``, safe to do twice; an edge of a later generation stays as it is.

    Args:
        graph: Where to write.
        relation: Name and end labels.
        generation: Number from :func:`begin_generation`.
        source: Rows of the nodes that draw.
        target: Rows of the nodes that are drawn; each pair at most once.
        weight: Of each edge.
        measure: What the weight is called.
    """
    graph.write(
        "UNWIND range(0, size($source) - 1) AS k "
        f"MATCH (s:{relation.source} {{row: $source[k]}}) MATCH (t:{relation.target} {{row: $target[k]}}) "
        f"MERGE (s)-[r:$($name)]->(t) WITH r, k WHERE coalesce(r.generation, 0) < $generation "
        f"SET r.{measure} = $weight[k], r.generation = $generation",
        name=relation.name,
        generation=generation,
        source=source.tolist(),
        target=target.tolist(),
        weight=weight.tolist(),
    )


def drop_older(graph: Graph, relation: Relation, generation: int, stop: int) -> int:
    """Delete the edges of earlier generations whose source row is below ``stop``, and return how many there were."""
    dropped = 0
    for start in range(0, stop, PAGE_ROWS):
        counts = graph.write(
            f"MATCH (s:{relation.source})-[r:$($name)]->(:{relation.target}) "
            "WHERE s.row >= $start AND s.row < $stop AND r.generation < $generation DELETE r",
            name=relation.name,
            generation=generation,
            start=start,
            stop=min(start + PAGE_ROWS, stop),
        )
        dropped += counts.relationships_deleted
    return dropped
