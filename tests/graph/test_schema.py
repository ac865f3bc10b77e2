"""Constraints and row counters."""

from __future__ import annotations

import pytest

from recsys.graph.client import Graph
from recsys.graph.pages import count_rows
from recsys.graph.schema import LABELS, SchemaConflictError, constraint_names, ensure_schema, missing_constraints


def test_the_schema_is_made_whole_again(graph: Graph):
    """A dropped constraint is reported as missing and comes back, and doing it again changes nothing."""
    graph.command("DROP CONSTRAINT recsys_anchor_row")
    assert missing_constraints(graph) == ["recsys_anchor_row"]
    ensure_schema(graph)
    ensure_schema(graph)
    assert missing_constraints(graph) == []
    assert len(set(constraint_names())) == len(constraint_names()) == 11


def test_counters_start_at_zero_and_stay(graph: Graph):
    """A new graph has no rows; a counter that moved on is not reset."""
    assert [count_rows(graph, label) for label in LABELS] == [0, 0, 0]
    graph.write("MATCH (c:RowCounter {label: 'Item'}) SET c.next = 7")
    ensure_schema(graph)
    assert [count_rows(graph, label) for label in LABELS] == [0, 7, 0]


def test_an_index_of_somebody_else_is_a_clear_error(graph: Graph):
    """What stands in the way is named, with what to do; the database keeps it."""
    graph.command("DROP CONSTRAINT recsys_anchor_id")
    graph.command("CREATE INDEX theirs FOR (n:Anchor) ON (n.id)")
    try:
        with pytest.raises(SchemaConflictError, match=r"recsys_anchor_id .*index.*neo4j\.database"):
            ensure_schema(graph)
    finally:
        graph.command("DROP INDEX theirs IF EXISTS")
    ensure_schema(graph)


def test_duplicates_are_a_clear_error(graph: Graph):
    """Data that already breaks a constraint is reported, not changed."""
    graph.command("DROP CONSTRAINT recsys_anchor_id")
    graph.write("CREATE (:Anchor {id: 'x'}), (:Anchor {id: 'x'})")
    with pytest.raises(SchemaConflictError, match="recsys_anchor_id"):
        ensure_schema(graph)
    graph.write("MATCH (a:Anchor) DELETE a")
    ensure_schema(graph)
