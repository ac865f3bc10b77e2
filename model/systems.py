"""The systems of a comparison: each learns from an arena and then ranks its test queries."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from recsys.core.errors import SetupError
from recsys.model.arena import Arena
from recsys.model.baselines import rank_by_popularity, rank_by_titles, rank_by_training_queries
from recsys.model.item_knn import rank_by_item_neighbours
from recsys.model.metrics import Rows
from recsys.model.ranking import top_k
from recsys.model.search import ONE_SEARCH, encode_texts, rank_run
from recsys.model.snapshot import snapshot_edges
from recsys.model.train import train

K = 100

Rank = Callable[[], Mapping[str, Rows]]
"Ranks the test queries; a system with votes returns a second ranking, with_votes, beside one_search."


class ExtraMissingError(SetupError):
    """A system needs packages that are not installed."""

    def __init__(self, system: str, package: str) -> None:
        self.system = system
        self.package = package
        super().__init__(
            f"{system} needs the package {package}, which is not installed; `pip install 'recsys[compare]'`, or name "
            "the other systems with --only"
        )


@dataclass(frozen=True)
class System:
    """One way to recommend.

    Attributes:
        name: In tables and for ``--only``.
        says: What it is, in a few words.
        learn: Takes the arena, a seed and a directory; returns what ranks. Its time is training time.
        seeded: Another seed gives another result.
        package: What has to be installed for it beyond recsys itself.
        applies: Says why it cannot take part, or None.
    """

    name: str
    says: str
    learn: Callable[[Arena, int, Path], Rank]
    seeded: bool = False
    package: str | None = None
    applies: Callable[[Arena], str | None] = lambda arena: None


def _one(rank: Callable[[], Rows]) -> Rank:
    return lambda: {ONE_SEARCH: rank()}


def _popularity(arena: Arena, seed: int, directory: Path) -> Rank:
    return _one(lambda: rank_by_popularity(arena.degree_I, len(arena.task.texts), K, arena.task.excluded))


def _titles(arena: Arena, seed: int, directory: Path) -> Rank:
    return _one(lambda: rank_by_titles(arena.item_texts, arena.task.texts, K, arena.task.excluded))


def _queries(arena: Arena, seed: int, directory: Path) -> Rank:
    task, clicks = arena.task, arena.data.clicks
    return _one(lambda: rank_by_training_queries(arena.query_texts, clicks, task.texts, K, task.excluded))


def _item_knn(arena: Arena, seed: int, directory: Path) -> Rank:
    task = arena.task
    return _one(lambda: rank_by_item_neighbours(arena.item_texts, arena.clicks, task.texts, K, task.excluded))


def _untrained(arena: Arena, seed: int, directory: Path) -> Rank:
    items = arena.features.items
    return _one(lambda: top_k(encode_texts(arena.untrained, arena.task.texts), items, K, excluded=arena.task.excluded))


def _trained(**changes: Any) -> Callable[[Arena, int, Path], Rank]:
    def learn(arena: Arena, seed: int, directory: Path) -> Rank:
        settings = arena.settings.model_copy(update={**changes, "seed": seed})
        run = train(arena.graph, settings, directory, validation=arena.validation, filtered=arena.filtered)
        items, queries = run.items(), run.queries()
        return lambda: rank_run(run, items, queries, arena.task.texts, arena.task.excluded, K)

    return learn


def _graph_sage(arena: Arena, seed: int, directory: Path) -> Rank:
    from recsys.model.graph_sage import GraphSage, Neighbours, encode_nodes, train_graph_sage

    features = arena.features
    first_item = len(features.queries)
    anchors = encode_texts(arena.untrained, arena.data.texts["Anchor"].all_texts())
    nodes = np.concatenate([features.queries, features.items, anchors.reshape(-1, features.items.shape[1])])
    to, source = _messages(arena, {"Query": 0, "Item": first_item, "Anchor": first_item + len(features.items)})
    model = GraphSage(nodes, Neighbours.from_pairs(to, source, len(nodes)))
    settings = arena.settings
    train_graph_sage(model, arena.clicks, first_item, epochs=settings.epochs, batch_size=settings.batch_size, seed=seed)
    items = encode_nodes(model, np.arange(first_item, first_item + len(features.items)), seed)

    def rank() -> Rows:
        with torch.inference_mode():
            asked = model.alone(torch.from_numpy(encode_texts(arena.untrained, arena.task.texts))).numpy()
        return top_k(asked, items, K, excluded=arena.task.excluded)

    return _one(rank)


def _messages(arena: Arena, first: Mapping[str, int]) -> tuple[Rows, Rows]:
    """Return receiving and sending nodes: clicks towards items alone, every other relation both ways."""
    clicks, snapshot = arena.data.clicks, arena.data.snapshot
    to, source = [first["Item"] + clicks.item], [clicks.query]
    for relation in snapshot.relations:
        for edges in snapshot_edges(arena.graph, snapshot, relation):
            one, other = first[relation.source] + edges.source, first[relation.target] + edges.target
            to += [one, other]
            source += [other, one]
    return np.concatenate(to), np.concatenate(source)


def _light_gcn(arena: Arena, seed: int, directory: Path) -> Rank:
    from recsys.model.light_gcn import train_light_gcn

    settings = arena.settings
    steps = settings.epochs * -(-arena.clicks.nnz // settings.batch_size)
    queries, items = train_light_gcn(arena.clicks, steps=steps, batch_size=settings.batch_size, seed=seed)
    row_of = {text: row for row, text in enumerate(arena.query_texts)}
    known = [row_of.get(text) for text in arena.task.texts]

    def rank() -> Rows:
        asked = np.stack([queries[row] if row is not None else np.zeros(queries.shape[1], np.float32) for row in known])
        return top_k(asked, items, K, excluded=arena.task.excluded)

    return _one(rank)


def _needs_known_queries(arena: Arena) -> str | None:
    known = set(arena.query_texts)
    if sum(text in known for text in arena.task.texts) * 2 >= len(arena.task.texts):
        return None
    return "most test queries are new, and it has vectors for known ones only"


SYSTEMS: Sequence[System] = (
    System("popularity", "the most clicked items", _popularity),
    System("bm25", "BM25 over titles", _titles),
    System("bm25_queries", "BM25 over training queries, whose items are voted for", _queries),
    System("item_knn", "BM25 over titles and the items clicked with those", _item_knn),
    System("untrained", "the encoder as it starts", _untrained),
    System("no_graph", "the encoder trained on clicks alone", _trained(graph=False), seeded=True),
    System(
        "ramen",
        "RAMEN as printed: metadata as regularizer, plain item vectors",
        _trained(select=False, two_hop=False, graph_weight=0.1, item_vectors="plain", hard_negatives_every=0),
        seeded=True,
    ),
    System("recsys", "the default of recsys train", _trained(), seeded=True),
    System("graph_sage", "GraphSAGE on text features", _graph_sage, seeded=True, package="torch_geometric"),
    System("light_gcn", "LightGCN, no text", _light_gcn, True, package="torch_geometric", applies=_needs_known_queries),
)
