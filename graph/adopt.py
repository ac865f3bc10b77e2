"""Gives new queries and items the links that were there before them, so that the order of ingests does not matter."""

from __future__ import annotations

from recsys.graph.client import Graph
from recsys.graph.ledger import write_again
from recsys.graph.relations import list_relations
from recsys.graph.schema import Label
from recsys.graph.write import adopt_statement

_PAGE = 5_000
_DONORS: dict[Label, tuple[Label, ...]] = {"Query": ("Anchor", "Item"), "Item": ("Anchor", "Query")}


def adopt(graph: Graph) -> int:
    """Copy links to the queries and items created since the last call; how far it came is on the row counter.

    Safe to interrupt and to do twice.

    Returns:
        Relationships created.
    """
    derived = [relation.name for relation in list_relations(graph) if relation.origin == "derived"]
    created = 0
    for label, donors in _DONORS.items():
        counter = graph.read(
            "MATCH (c:RowCounter {label: $label}) RETURN coalesce(c.adopted, 0) AS done, c.next AS next", label=label
        )[0]
        for start in range(counter["done"], counter["next"], _PAGE):
            stop = min(start + _PAGE, counter["next"])
            for donor in donors:
                rows = {"start": start, "stop": stop, "derived": derived}
                counts = write_again(graph, adopt_statement(label, donor), rows)
                created += counts.relationships_created
            graph.write("MATCH (c:RowCounter {label: $label}) SET c.adopted = $stop", label=label, stop=stop)
    return created
