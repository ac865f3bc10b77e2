"""Explains why an item is recommended for a query: the score taken apart, and the paths between the two.

An item's vector is the direction of E(z) + a · mean of E(clicking queries), with a = α · n/(n+c); the run notes the
length L of that sum. So the score of a query x is, exactly,

    x·E(z)/L  +  Σ over the n clicking queries of a/n · x·E(q)/L  +  bonus  +  Σ over the voters of w · share

and a few of the summands can be named while the rest is one difference, however many queries clicked the item.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from recsys.core.bonus import UNIT
from recsys.core.composition import Composition, shares_of_queries
from recsys.core.run import Vectors
from recsys.core.votes import shares
from recsys.graph.between import Clicker, clickers_among, top_clickers
from recsys.graph.client import Graph
from recsys.serving import explanation as why
from recsys.serving.explained_paths import paths_beside_the_score
from recsys.serving.explanation import Explanation, Node, Reason
from recsys.serving.recommend import Found, Recommender

SHOWN: Final = 5
"Reasons of a kind."
CLICKERS: Final = 100
"Queries with the most clicks on the item that are looked at, beside the nearest ones."
LIKE: Final = 0.3
"Cosine from which one query is said to be like another."
ROUNDING: Final = 1e-5
"What sums made in another order may differ by."


@dataclass(frozen=True)
class Summands:
    """An item's own score in parts.

    Attributes:
        own: x·v, the whole.
        queries: n, clicking queries that the run knew.
        title: x·E(z)/L; None where it is unknown.
        likeness: Cosine of query and title.
        factor: a/(n·L), what x·E(q) counts of each clicking query; 0 where queries are no part of the vector.
        bonus: β where nobody clicked the item.
    """

    own: float
    queries: int
    title: float | None
    likeness: float
    factor: float
    bonus: float


@dataclass(frozen=True)
class Known:
    """A query that clicked the item, with its parts of the score.

    Attributes:
        clicker: Who.
        likeness: Cosine with the query asked.
        vector: Part by the item's vector; None where it has none.
        vote: Part by its vote.
    """

    clicker: Clicker
    likeness: float
    vector: float | None
    vote: float

    @property
    def share(self) -> float | None:
        """Both parts; None where it is no part of the score."""
        return None if self.vector is None and not self.vote else (self.vector or 0.0) + self.vote


def explain(
    recommender: Recommender,
    graph: Graph | None,
    query: str,
    item_id: str,
    *,
    by_id: bool = False,
    shown: int = SHOWN,
) -> Explanation:
    """Say why ``recommend`` gives the item its score for the query, and what links the two.

    The item need not be among the first ones. What is read is bounded whatever the degrees: of a hub, the queries
    nearest to the one asked and those of the most clicks are looked at; the others are one summand together.

    Args:
        recommender: Of the live collection, with its run directory at hand.
        graph: Where paths are looked for; None leaves out those that the run itself does not know.
        query: Text, or the id of a training query.
        item_id: Id of an item.
        by_id: ``query`` is an id.
        shown: Reasons of a kind, at most; 1 or more.

    Raises:
        UnknownIdError: The run has no such item, or no such query where it is an id.
        LiveRunMissingError: The run directory is gone.
        EncoderMismatchError: Its encoder did not make the collection.
        CollectionGoneError: Somebody deleted the collection.
    """
    vector, row = recommender.question(query, by_id=by_id)
    query_id = None if row is None else recommender.questions.known.id(row)
    item = recommender.item(item_id)
    if vector.any():
        score, reasons = _apart(recommender, graph, vector, query_id, item, shown)
    else:
        score, reasons = None, _clicked_only(graph, query_id, item)
    if graph is not None and query_id is not None:
        reasons += paths_beside_the_score(graph, query_id, item.id, item.title, shown)
    paths = sum(bool(reason.path) for reason in reasons)
    return Explanation(
        query=query,
        query_id=query_id,
        item=item.id,
        title=item.title,
        score=score,
        reasons=tuple(sorted(reasons, key=lambda r: (r.share is None, -(r.share or 0.0)))),
        graph=graph is not None,
        linked=paths > 0,
        says=_outcome(score, paths, asked=graph is not None),
        collection=recommender.collection,
        run=recommender.lineage.run,
    )


def _apart(
    recommender: Recommender, graph: Graph | None, vector: Vectors, query_id: str | None, item: Found, shown: int
) -> tuple[float, list[Reason]]:
    searched = recommender.as_searched([vector])[0]
    wide = recommender.lineage.how.is_wide
    asked = searched[: len(item.vector)]
    asked = asked if wide else asked / np.linalg.norm(asked)
    parts = _summands(recommender, asked, item, float(searched[-1]) * UNIT if wide else 0.0)
    votes = _votes(recommender, searched, item.row)
    clickers = _clickers(graph, query_id, item.id, votes)
    named = _named(_known(recommender, asked, parts, clickers, votes, item.row), query_id, shown)
    score = parts.own + parts.bonus + sum(vote for _, vote in votes.values())
    return score, [*_of_vector(parts, item), *_of_queries(named, query_id, item), *_of_others(parts, named, votes)]


def _summands(recommender: Recommender, asked: Vectors, item: Found, bonus: float) -> Summands:
    own = float(asked @ item.vector)
    how = Composition(**recommender.questions.run.manifest.get("composition", {"alpha": 0.0, "evidence": 0.0}))
    # the run directory is there: the query was looked up in it
    cell = recommender.items.cells([item.row], ["degree", "length"])[0] if recommender.items else {}
    n, length = cell.get("degree", 0), cell.get("length")
    if not n or not how.alpha:
        return Summands(own, n, own, own / float(np.linalg.norm(asked)), 0.0, bonus if not n else 0.0)
    if not length:
        return Summands(own, n, None, 0.0, 0.0, 0.0)
    encoded = recommender.questions.encode([item.title])[0]
    norms = float(np.linalg.norm(encoded) * np.linalg.norm(asked))
    dot = float(asked @ encoded)
    factor = how.alpha * float(shares_of_queries(np.array([n]), how)[0]) / (n * length)
    return Summands(own, n, dot / length, dot / norms if norms else 0.0, factor, 0.0)


def _votes(recommender: Recommender, searched: Vectors, row: int) -> dict[str, tuple[Clicker, float]]:
    """Return query id to query and weight · share, of the nearest training queries that clicked the item."""
    voters = recommender.nearest_queries(searched)
    weight, votes = recommender.lineage.how.votes, {}
    for voter, share in zip(voters, shares([v.score for v in voters]) if voters else (), strict=True):
        payload: dict[str, Any] = voter.payload or {}
        if row in payload["items"]:
            clicks = payload["counts"][payload["items"].index(row)]
            votes[payload["id"]] = (Clicker(payload["id"], payload["text"], clicks), weight * float(share))
    return votes


def _clickers(
    graph: Graph | None, query_id: str | None, item_id: str, votes: dict[str, tuple[Clicker, float]]
) -> list[Clicker]:
    found = {id_: clicker for id_, (clicker, _) in votes.items()}
    if graph is not None:
        near = [*votes, *([query_id] if query_id is not None else [])]
        for clicker in (*top_clickers(graph, item_id, CLICKERS), *clickers_among(graph, near, item_id)):
            found[clicker.id] = clicker
    return list(found.values())


def _known(
    recommender: Recommender,
    asked: Vectors,
    parts: Summands,
    clickers: Sequence[Clicker],
    votes: dict[str, tuple[Clicker, float]],
    item_row: int,
) -> list[Known]:
    """Return those of ``clickers`` that the run knows."""
    queries = recommender.questions.known
    rows = queries.rows_of_ids([clicker.id for clicker in clickers])
    there = [(clicker, row) for clicker, row in zip(clickers, rows, strict=True) if row is not None]
    cells = queries.cells([row for _, row in there], ["vector", "payload"])
    found = []
    for (clicker, _), cell in zip(there, cells, strict=True):
        vector = np.asarray(cell["vector"], np.float32)[: len(asked)]
        dot, norms = float(asked @ vector), float(np.linalg.norm(vector) * np.linalg.norm(asked))
        vote = votes[clicker.id][1] if clicker.id in votes else 0.0
        # clicks may have come since, and what the run lists is in its vectors for certain
        inside = parts.factor > 0 and item_row in json.loads(cell["payload"]).get("items", ())
        found.append(Known(clicker, dot / norms if norms else 0.0, parts.factor * dot if inside else None, vote))
    return found


def _named(known: Sequence[Known], query_id: str | None, shown: int) -> list[Known]:
    """Return the query itself, and the queries like it that give the most."""
    itself = [k for k in known if k.clicker.id == query_id]
    like = [k for k in known if k.clicker.id != query_id and k.likeness >= LIKE]
    return itself + sorted(like, key=lambda k: (-(k.share or 0.0), -k.likeness, k.clicker.id))[:shown]


def _of_vector(parts: Summands, item: Found) -> list[Reason]:
    own = why.title(item.title, parts.likeness, parts.title) if parts.title is not None else None
    reasons = [own or why.whole_vector(parts.queries, parts.own)]
    return [*reasons, why.new_item(parts.bonus)] if parts.bonus else reasons


def _of_queries(named: Sequence[Known], query_id: str | None, item: Found) -> list[Reason]:
    end, reasons = Node("item", item.id, item.title, "CLICKED"), []
    for k in named:
        if k.clicker.id == query_id:
            reasons.append(why.clicked(end, k.clicker.clicks, k.share, k.vote))
        else:
            start = Node("query", k.clicker.id, k.clicker.text, "like")
            reasons.append(why.similar_query(start, end, k.likeness, k.clicker.clicks, k.share, k.vote))
    return reasons


def _of_others(parts: Summands, named: Sequence[Known], votes: dict[str, tuple[Clicker, float]]) -> list[Reason]:
    names = {k.clicker.id for k in named}
    voted = [vote for id_, (_, vote) in votes.items() if id_ not in names]
    if not parts.factor or parts.title is None:
        return [why.other_queries(len(voted), sum(voted), sum(voted))] if sum(voted) else []
    inside = [k.vector for k in named if k.vector is not None]
    count, share = parts.queries - len(inside), parts.own - parts.title - sum(inside)
    if not count and abs(share) < ROUNDING:
        return []
    return [why.other_queries(count, share + sum(voted), sum(voted))]


def _clicked_only(graph: Graph | None, query_id: str | None, item: Found) -> list[Reason]:
    if graph is None or query_id is None:
        return []
    end = Node("item", item.id, item.title, "CLICKED")
    found = clickers_among(graph, [query_id], item.id)
    return [why.clicked(end, clicker.clicks, None, 0.0) for clicker in found]


def _outcome(score: float | None, paths: int, *, asked: bool) -> str:
    if score is None:
        says = "Nothing is recommended for it: the encoder knows no word of the query."
        return says + (f" {why.times(paths, 'path links', 'paths link')} them all the same." if paths else "")
    if paths:
        return f"{why.times(paths, 'path links', 'paths link')} them."
    return "No path links them." + ("" if asked else " The graph was not asked.")
