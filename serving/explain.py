"""Explains why an item is recommended for a query: the score taken apart, and the paths between the two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from recsys.core.run import Vectors
from recsys.graph.between import Clicker, clickers_among, top_clickers
from recsys.graph.client import Graph
from recsys.serving import explanation as why
from recsys.serving.explained_paths import paths_beside_the_score
from recsys.serving.explanation import Explanation, Node, Reason
from recsys.serving.items import Found
from recsys.serving.recommend import Recommender
from recsys.serving.summands import Known, Summands, Vote, clicker_at, parts_of, take_apart, votes_for

SHOWN: Final = 5
"Reasons of a kind."
CLICKERS: Final = 100
"Queries with the most clicks on the item that are looked at, beside the nearest ones."
LIKE: Final = 0.3
"Cosine from which one query is said to be like another."
ROUNDING: Final = 1e-5
"What sums made in another order may differ by."


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
    vector, row = recommender.questions.one(query, by_id=by_id)
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
    how = recommender.lineage.how
    asked = searched[: len(item.vector)]
    asked = asked if how.is_wide else asked / np.linalg.norm(asked)
    parts = take_apart(recommender, asked, item, how.chosen)
    votes = votes_for(recommender, searched, item.row)
    clickers = _clickers(graph, query_id, item.id, votes)
    if parts.nearest is not None:
        nearest = clicker_at(recommender, parts.nearest, item.row)
        clickers = [nearest, *(clicker for clicker in clickers if clicker.id != nearest.id)]
    named = _named(parts_of(recommender, asked, parts, clickers, votes, item.row), query_id, shown)
    score = parts.own + parts.bonus + sum(vote.share for vote in votes.values())
    return score, [*_of_vector(parts, item), *_of_queries(named, query_id, item), *_of_others(parts, named, votes)]


def _clickers(graph: Graph | None, query_id: str | None, item_id: str, votes: Mapping[str, Vote]) -> list[Clicker]:
    found = {id_: vote.clicker for id_, vote in votes.items()}
    if graph is not None:
        near = [*votes, *([query_id] if query_id is not None else [])]
        for clicker in (*top_clickers(graph, item_id, CLICKERS), *clickers_among(graph, near, item_id)):
            found[clicker.id] = clicker
    return list(found.values())


def _named(known: Sequence[Known], query_id: str | None, shown: int) -> list[Known]:
    """Return the query itself, that of the item's nearest vector, and the queries like it that give the most."""
    itself = [k for k in known if k.clicker.id == query_id or k.drawn]
    like = [k for k in known if k not in itself and k.likeness >= LIKE]
    return itself + sorted(like, key=lambda k: (-(k.share or 0.0), -k.likeness, k.clicker.id))[:shown]


def _of_vector(parts: Summands, item: Found) -> list[Reason]:
    own = why.title(item.title, parts.likeness, parts.title) if parts.title is not None else None
    reasons = [own or why.whole_vector(parts.queries, parts.own - parts.drawn)]
    return [*reasons, why.bonus(parts.queries, parts.bonus)] if parts.bonus else reasons


def _of_queries(named: Sequence[Known], query_id: str | None, item: Found) -> list[Reason]:
    end, reasons = Node("item", item.id, item.title, "CLICKED"), []
    for k in named:
        if k.clicker.id == query_id:
            reasons.append(why.clicked(end, k.clicker.clicks, k.share, k.vote, drawn=k.drawn))
        else:
            start = Node("query", k.clicker.id, k.clicker.text, "like")
            reasons.append(why.similar_query(start, end, k.likeness, k.clicker.clicks, k.share, k.vote, drawn=k.drawn))
    return reasons


def _of_others(parts: Summands, named: Sequence[Known], votes: Mapping[str, Vote]) -> list[Reason]:
    names = {k.clicker.id for k in named}
    voted = [vote.share for id_, vote in votes.items() if id_ not in names]
    if not (parts.factor or parts.learnt or parts.linked or parts.borrowed) or parts.title is None:
        return [why.other_queries(len(voted), len(voted), sum(voted), sum(voted))] if sum(voted) else []
    inside = [k.vector for k in named if k.vector is not None]
    count, share = parts.queries - len(inside), parts.own - parts.title - sum(inside)
    if not count and abs(share) < ROUNDING:
        return []
    voters = sum(vote > 0 for vote in voted)
    beside = why.beside_queries(learnt=parts.learnt, linked=parts.linked, borrowed=parts.borrowed)
    return [why.other_queries(count, voters, share + sum(voted), sum(voted), beside)]


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
