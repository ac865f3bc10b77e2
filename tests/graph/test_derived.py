"""Generations of derived edges."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.graph.client import Graph
from recsys.graph.derived import begin_generation, drop_older, write_weighted
from recsys.graph.relations import Relation, list_relations

NEAR = Relation("NEAR", "Item", "Item", "derived")


@pytest.fixture
def items(graph: Graph) -> Graph:
    """Four items."""
    graph.write("UNWIND range(0, 3) AS r CREATE (:Item {id: 'i' + r, row: r})")
    return graph


def write(graph: Graph, generation: int, edges: dict[tuple[int, int], float]) -> None:
    """Write edges given as (source, target) to weight."""
    source, target = np.array(list(edges)).T
    write_weighted(graph, NEAR, generation, source, target, np.array(list(edges.values())))


def stored(graph: Graph) -> dict[tuple[int, int], float]:
    """Return the edges, of which there is one per pair."""
    records = graph.read("MATCH (a:Item)-[r:NEAR]->(b:Item) RETURN a.row AS a, b.row AS b, r.weight AS w")
    assert len({(r["a"], r["b"]) for r in records}) == len(records)
    return {(r["a"], r["b"]): r["w"] for r in records}


def test_a_new_generation_takes_the_place_of_the_old(items: Graph):
    """Until the old edges go, both are there; then the new ones alone, with their weights."""
    first = begin_generation(items, NEAR)
    write(items, first, {(0, 1): 0.5, (1, 0): 0.5})
    second = begin_generation(items, NEAR)
    assert second > first
    write(items, second, {(0, 1): 0.75, (2, 3): 0.25})
    assert stored(items) == {(0, 1): 0.75, (1, 0): 0.5, (2, 3): 0.25}
    assert drop_older(items, NEAR, second, 4) == 1
    assert stored(items) == {(0, 1): 0.75, (2, 3): 0.25}
    assert list_relations(items) == [NEAR]


def test_writing_twice_changes_nothing(items: Graph):
    """A chunk whose commit stayed unknown is written again."""
    generation = begin_generation(items, NEAR)
    for _ in range(2):
        write(items, generation, {(0, 1): 0.5})
    assert drop_older(items, NEAR, generation, 4) == 0
    assert stored(items) == {(0, 1): 0.5}


def test_the_later_of_two_at_once_wins(items: Graph):
    """An earlier derivation that goes on neither overwrites nor deletes edges of a later one."""
    early, late = begin_generation(items, NEAR), begin_generation(items, NEAR)
    write(items, late, {(0, 1): 0.75})
    write(items, early, {(0, 1): 0.5, (1, 2): 0.5})
    drop_older(items, NEAR, early, 4)
    assert stored(items) == {(0, 1): 0.75, (1, 2): 0.5}
    drop_older(items, NEAR, late, 4)
    assert stored(items) == {(0, 1): 0.75}
