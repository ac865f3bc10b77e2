"""What the sampler would draw for one query: the same reader, the same rules, shown with ids and texts."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recsys.core.errors import DataError
from recsys.core.settings import TrainSettings
from recsys.core.text import query_id
from recsys.graph.client import Graph
from recsys.graph.schema import Label
from recsys.model.batch import Batch
from recsys.model.batch_reader import BatchReader
from recsys.model.data import TrainingData, read_data
from recsys.model.snapshot import take_snapshot
from recsys.model.texts import Texts
from recsys.model.two_hop import TwoHop


class QueryUnknownError(DataError):
    """The graph has no such query, or it has no clicks to draw from."""

    def __init__(self, wanted: str, what: str) -> None:
        self.wanted = wanted
        super().__init__(
            f"{what} {wanted!r}; `recsys graph show ID` and `recsys graph show --text TEXT` say what there is"
        )


@dataclass(frozen=True)
class Node:
    """A drawn node.

    Attributes:
        label: Query, Item or Anchor.
        id: Its id.
        text: What is encoded.
    """

    label: Label
    id: str
    text: str


@dataclass(frozen=True)
class Anchor:
    """A neighbour drawn in one relation.

    Attributes:
        relation: Name of the relation.
        side: Whether the query or its drawn item drew.
        node: What was drawn.
    """

    relation: str
    side: str
    node: Node


@dataclass(frozen=True)
class Drawn:
    """What one step would see of the query.

    Attributes:
        item: The clicked item.
        neighbour: Another training query that clicked it; None where there is none.
        anchors: One per relation and side that has any.
    """

    item: Node
    neighbour: Node | None
    anchors: tuple[Anchor, ...]


@dataclass(frozen=True)
class Preview:
    """A query and draws for it.

    Attributes:
        query: The query.
        held_out: It is not trained on; the draws are what would be drawn otherwise.
        draws: Independent draws.
    """

    query: Node
    held_out: bool
    draws: tuple[Drawn, ...]


def preview(graph: Graph, settings: TrainSettings, *, id_: str | None, text: str | None, n: int) -> Preview:
    """Draw ``n`` times for the query of this id, or else of this text, as a training with these settings would.

    Args:
        graph: Where to read.
        settings: Relations, share held out and seed.
        id_: Id of the query.
        text: Its text, where no id is given.
        n: Draws.

    Raises:
        NoClicksError: The graph holds no clicks.
        UnknownRelationError: A relation of the settings is not in the graph.
        QueryUnknownError: There is no such query, or it has no clicks.
    """
    snapshot = take_snapshot(graph, settings.relations)
    row = _row(graph, id_, text, snapshot.rows["Query"])
    with tempfile.TemporaryDirectory() as directory:
        data = read_data(graph, snapshot, Path(directory), settings.validation_share)
        if row not in data.clicks.query:
            raise QueryUnknownError(id_ or str(text), "nothing was clicked for the query")
        two_hop = TwoHop(data.training_clicks)
        reader = BatchReader(graph, snapshot, data.excluded, data.held_out, two_hop)
        # A batch of the query alone has nothing to compare it with; as many copies are as many draws.
        batch = reader.read(np.full(max(n, 2), row), np.random.default_rng(settings.seed))
        query = _node(data.texts, "Query", row)
        return Preview(query, bool(data.held_out[row]), tuple(_drawn(data, batch, place) for place in range(n)))


def _row(graph: Graph, id_: str | None, text: str | None, rows: int) -> int:
    wanted = id_ if id_ is not None else query_id(str(text))
    found = graph.read("MATCH (q:Query {id: $id}) WHERE q.row < $rows RETURN q.row AS row", id=wanted, rows=rows)
    if not found:
        what = "the graph has no query of the " + ("id" if id_ is not None else "text")
        raise QueryUnknownError(id_ if id_ is not None else str(text), what)
    row: int = found[0]["row"]
    return row


def _drawn(data: TrainingData, batch: Batch, place: int) -> Drawn:
    neighbour = None
    if batch.neighbour and place in batch.neighbour.position_N:
        at = int(np.searchsorted(batch.neighbour.position_N, place))
        neighbour = _node(data.texts, "Query", int(batch.neighbour.drawn_N[at]))
    anchors = []
    for term in batch.terms:
        if place in term.draw.position_N:
            drawn = int(term.draw.drawn_N[np.searchsorted(term.draw.position_N, place)])
            anchors.append(Anchor(term.relation, term.side, _node(data.texts, term.anchor, drawn)))
    return Drawn(_node(data.texts, "Item", int(batch.item_B[place])), neighbour, tuple(anchors))


def _node(texts: Mapping[Label, Texts], label: Label, row: int) -> Node:
    (text,) = texts[label].take(np.array([row]))
    return Node(label, texts[label].ids()[row].as_py(), text)
