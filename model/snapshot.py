"""What a run reads: the graph up to the rows it had when the run began."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from recsys.core.errors import DataError, UsageError
from recsys.graph.client import Graph
from recsys.graph.counts import count_graph
from recsys.graph.names import unwalked
from recsys.graph.pages import Edges, count_rows, edge_pages
from recsys.graph.relations import Relation, list_relations
from recsys.graph.schema import LABELS


class NoClicksError(DataError):
    """The graph holds nothing to learn from."""

    def __init__(self) -> None:
        super().__init__("the graph holds no clicks; run `recsys ingest clicks PATH` first (or `recsys demo`)")


class UnknownRelationError(UsageError):
    """A relation that was asked for is not in the registry."""

    def __init__(self, names: Sequence[str], known: Sequence[str]) -> None:
        self.names = tuple(names)
        super().__init__(
            f"the graph has no relation {', '.join(map(repr, names))} (known: {', '.join(known) or 'none'}); "
            "correct train.relations or run `recsys ingest links`"
        )


@dataclass(frozen=True)
class Snapshot:
    """Bounds of what a run may see.

    Attributes:
        rows: Label to number of rows; a node with a later row is not part of the run.
        batches: Ids of the finished ingest batches, sorted.
        clicked_pairs: Distinct (query, item) pairs.
        relations: Registered relations that the run draws from.
        edges: Edges of each of these relations, by name.
        kin: Further relations that are walked from one of these, or that one of these was walked from: not drawn from,
            but their edges are known positives too.
    """

    rows: dict[str, int]
    batches: tuple[str, ...]
    clicked_pairs: int
    relations: tuple[Relation, ...]
    edges: dict[str, int] = field(default_factory=dict)
    kin: tuple[Relation, ...] = ()

    def family(self, relation: Relation) -> list[Relation]:
        """Return ``relation`` and its walked or raw form, whose edges together are what is known."""
        ends = (unwalked(relation.name), relation.source, relation.target)
        return [r for r in (*self.relations, *self.kin) if (unwalked(r.name), r.source, r.target) == ends]

    def as_json(self) -> dict[str, Any]:
        """Return the snapshot as it stands in manifests."""
        return asdict(self)


def snapshot_edges(graph: Graph, snapshot: Snapshot, relation: Relation) -> Iterator[Edges]:
    """Yield every edge of ``relation`` between rows of the snapshot, page by page, in order of source and target."""
    for page in edge_pages(graph, relation.name, relation.source, relation.target, snapshot.rows[relation.source]):
        yield page.where(page.target < snapshot.rows[relation.target])


def take_snapshot(graph: Graph, relations: Sequence[str] | None = None) -> Snapshot:
    """Return the graph's present bounds.

    Args:
        graph: Where to read.
        relations: Names of the relations to draw from; None means all registered ones.

    Raises:
        NoClicksError: There are no clicks.
        UnknownRelationError: A name in ``relations`` is not registered.
    """
    registered = list_relations(graph)
    known = {relation.name for relation in registered}
    if missing := sorted(set(relations or ()) - known):
        raise UnknownRelationError(missing, sorted(known))
    counts = count_graph(graph)
    if not counts.clicked_pairs:
        raise NoClicksError
    batches = graph.read("MATCH (b:ClickBatch) WHERE b.complete RETURN b.id AS id ORDER BY id")
    usable = [r for r in registered if r.source != "Anchor"]
    wanted = [r for r in usable if relations is None or r.name in relations]
    raw = {unwalked(r.name) for r in wanted}
    return Snapshot(
        rows={label: count_rows(graph, label) for label in LABELS},
        batches=tuple(record["id"] for record in batches),
        clicked_pairs=counts.clicked_pairs,
        relations=tuple(wanted),
        edges={relation.name: counts.relations[relation.name] for relation in wanted},
        kin=tuple(r for r in usable if r not in wanted and unwalked(r.name) in raw),
    )
