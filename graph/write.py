"""Statements that write chunks of nodes and relationships; names and values are parameters, never part of the Cypher.

A chunk is a dictionary of parallel lists. Relationship chunks carry each end's id once and integer indices into
those ids, so that an end is looked up once per chunk however many relationships it has.
"""

from __future__ import annotations

from typing import Final

from recsys.graph.schema import Label


def _create(label: Label, unless: str = "", further: str = "") -> str:
    """Create the nodes of ``$ids`` that are missing, with dense rows; the counter stays locked until the commit."""
    return (
        f"MATCH (c:RowCounter {{label: '{label}'}}) SET c.locked = true "
        "WITH c CALL (c) { "
        f"UNWIND range(0, size($ids) - 1) AS k OPTIONAL MATCH (known:{label} {{id: $ids[k]}}) "
        f"WITH c, k, known WHERE known IS NULL {unless} WITH c, k ORDER BY k WITH c, collect(k) AS new "
        "WITH c, new, c.next AS first UNWIND range(0, size(new) - 1) AS j "
        f"CREATE (:{label} {{id: $ids[new[j]], text: $texts[new[j]], row: first + j{further}}}) "
        "WITH c, count(*) AS made SET c.next = c.next + made } "
    )


QUERIES: Final = (
    _create("Query") + "WITH c UNWIND $ids AS id MATCH (query:Query {id: id}) MATCH (a:Anchor {id: id}) "
    "WHERE a.text IS NULL SET a.text = query.text"
)
"""Parameters ids, texts. A known query keeps its text; an anchor of the same id without text takes it."""

ITEMS: Final = (
    _create("Item") + "WITH c UNWIND range(0, size($ids) - 1) AS k MATCH (item:Item {id: $ids[k]}) "
    "WITH item, $texts[k] AS text, $first_seen[k] AS first, $last_seen[k] AS last "
    "SET item.text = coalesce(item.text, text), "
    "item.first_seen = CASE WHEN first < item.first_seen THEN first ELSE coalesce(item.first_seen, first) END, "
    "item.last_seen = CASE WHEN last > item.last_seen THEN last ELSE coalesce(item.last_seen, last) END "
    "WITH item WHERE item.text IS NOT NULL MATCH (a:Anchor {id: item.id}) WHERE a.titled IS NULL SET a.text = item.text"
)
"""Parameters ids, texts, first_seen, last_seen (ms since 1970 UTC or null).

A known item keeps its text if it has one, and the earlier and the later of its times; an untitled anchor of the same id
takes its text.
"""

ITEM_TABLE: Final = (
    _create("Item") + "WITH c UNWIND range(0, size($ids) - 1) AS k MATCH (item:Item {id: $ids[k]}) "
    "SET item += $properties[k] SET item.text = $texts[k] "
    "WITH item MATCH (a:Anchor {id: item.id}) WHERE a.titled IS NULL SET a.text = item.text"
)
"""Parameters ids, texts, properties (a map each). Text and properties replace those that were there."""

LINK_ENDS: Final = (
    _create(
        "Anchor",
        "AND ($is_target[k] OR NOT EXISTS { (:Query {id: $ids[k]}) } AND NOT EXISTS { (:Item {id: $ids[k]}) })",
        ", source: CASE WHEN NOT $is_target[new[j]] THEN true END",
    )
    + "WITH c UNWIND range(0, size($ids) - 1) AS k MATCH (a:Anchor {id: $ids[k]}) WHERE a.titled IS NULL "
    "OPTIONAL MATCH (item:Item {id: $ids[k]}) OPTIONAL MATCH (query:Query {id: $ids[k]}) "
    "SET a.titled = CASE WHEN $texts[k] IS NULL THEN null ELSE true END, "
    "a.text = coalesce($texts[k], item.text, query.text)"
)
"""Parameters ids, texts (null where none), is_target. A source that is a query or an item needs no anchor.

An anchor that is made for a source alone is marked ``source``: it gets the links of its id even if its query or item
is created before they are written.
"""

ANCHOR_TEXTS: Final = (
    "UNWIND range(0, size($ids) - 1) AS k MATCH (a:Anchor {id: $ids[k]}) "
    "WHERE a.titled IS NULL OR a.text <> $texts[k] SET a.text = $texts[k], a.titled = true"
)
"""Parameters ids, texts. Titles of anchors that exist; they win over all other texts."""

CLICKS: Final = (
    "CALL () { UNWIND range(0, size($query_ids) - 1) AS k OPTIONAL MATCH (n:Query {id: $query_ids[k]}) "
    "WITH k, n ORDER BY k RETURN collect([n]) AS queries } "
    "CALL () { UNWIND range(0, size($item_ids) - 1) AS k OPTIONAL MATCH (n:Item {id: $item_ids[k]}) "
    "WITH k, n ORDER BY k RETURN collect([n]) AS items } "
    "UNWIND range(0, size($query) - 1) AS k "
    "WITH queries[$query[k]][0] AS q, items[$item[k]][0] AS i, $clicks[k] AS clicks, $last_at[k] AS last_at "
    "MERGE (q)-[c:CLICKED]->(i) ON CREATE SET c.clicks = clicks, c.last_at = last_at "
    "ON MATCH SET c.clicks = c.clicks + clicks, "
    "c.last_at = CASE WHEN c.last_at > last_at THEN c.last_at ELSE coalesce(last_at, c.last_at) END"
)
"""Parameters query_ids, item_ids, and per pair query, item (indices), clicks, last_at (ms since 1970 UTC or null)."""

# Both ends come out of lists of nodes for the reason given at LINKS.
SAME_SESSION: Final = (
    "CALL () { UNWIND range(0, size($source_ids) - 1) AS k OPTIONAL MATCH (n:Query {id: $source_ids[k]}) "
    "WITH k, n ORDER BY k RETURN collect([n]) AS sources } "
    "CALL () { UNWIND range(0, size($target_ids) - 1) AS k OPTIONAL MATCH (n:Query {id: $target_ids[k]}) "
    "WITH k, n ORDER BY k RETURN collect([n]) AS targets } "
    "UNWIND range(0, size($source) - 1) AS k "
    "WITH sources[$source[k]][0] AS s, targets[$target[k]][0] AS t, $sessions[k] AS sessions "
    "MERGE (s)-[r:SAME_SESSION]->(t) ON CREATE SET r.sessions = sessions "
    "ON MATCH SET r.sessions = r.sessions + sessions "
    "WITH count(*) AS edges WHERE edges > 0 "
    "MERGE (x:Relation {name: 'SAME_SESSION', source: 'Query', target: 'Query'}) ON CREATE SET x.origin = 'derived'"
)
"""Parameters source_ids, target_ids, and per pair source, target (indices), sessions. The relation is registered."""

_REGISTER: Final = (
    "MERGE (x:Relation {name: name, source: source, target: 'Anchor'}) ON CREATE SET x.origin = 'ingested'"
)

_SOURCES: Final = " ".join(
    f"CALL () {{ UNWIND range(0, size($source_ids) - 1) AS k OPTIONAL MATCH (n:{label} {{id: $source_ids[k]}}) "
    f"WITH k, n ORDER BY k RETURN collect([n]) AS {name} }}"
    for label, name in (("Query", "queries"), ("Item", "items"), ("Anchor", "anchors"))
)

# Each end must come out of a list of nodes: of a value of unknown type MERGE scans all relationships.
LINKS: Final = (
    f"{_SOURCES} "
    "CALL () { UNWIND range(0, size($target_ids) - 1) AS k OPTIONAL MATCH (n:Anchor {id: $target_ids[k]}) "
    "WITH k, n ORDER BY k RETURN collect([n]) AS targets } "
    "UNWIND range(0, size($source) - 1) AS k "
    "WITH queries[$source[k]][0] AS q, items[$source[k]][0] AS i, anchors[$source[k]][0] AS a, "
    "targets[$target[k]][0] AS t, $relations[$relation[k]] AS name "
    "WITH *, coalesce(q, i) IS NULL OR coalesce(a.source, false) AS at_anchor "
    "FOREACH (_ IN CASE WHEN q IS NULL THEN [] ELSE [1] END | MERGE (q)-[:$(name)]->(t)) "
    "FOREACH (_ IN CASE WHEN i IS NULL THEN [] ELSE [1] END | MERGE (i)-[:$(name)]->(t)) "
    "FOREACH (_ IN CASE WHEN at_anchor THEN [1] ELSE [] END | MERGE (a)-[:$(name)]->(t)) "
    "WITH DISTINCT name, q IS NULL AS no_query, i IS NULL AS no_item, at_anchor "
    "UNWIND CASE WHEN no_query THEN [] ELSE ['Query'] END + CASE WHEN no_item THEN [] ELSE ['Item'] END "
    "+ CASE WHEN at_anchor THEN ['Anchor'] ELSE [] END AS source " + _REGISTER
)
"""Parameters source_ids, target_ids, relations, and per link source, target, relation (indices).

The source is the query and the item of that id, and the anchor where there is neither or where it was made for a
source. Relations are registered.
"""


def adopt_statement(label: Label, other: Label) -> str:
    """Copy link relationships to ``label`` nodes from the ``other`` node of the same id.

    Parameters start, stop (rows of ``label``) and derived (relations that are not links).
    """
    return (
        f"MATCH (n:{label}) WHERE n.row >= $start AND n.row < $stop "
        f"MATCH (donor:{other} {{id: n.id}})-[r]->(t:Anchor) WHERE NOT type(r) IN $derived "
        "WITH n, t, type(r) AS name MERGE (n)-[:$(name)]->(t) "
        f"WITH DISTINCT name, '{label}' AS source " + _REGISTER
    )
