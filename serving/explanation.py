"""Why an item is recommended: its score in parts, and what the graph has between query and item, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "clicked",
    "similar_query",
    "other_queries",
    "title",
    "vector",
    "new_item",
    "popular",
    "session",
    "anchor",
    "co_click",
]


@dataclass(frozen=True)
class Node:
    """A stop on the way from the query to the item.

    Attributes:
        label: What it is.
        id: External id.
        text: Its text.
        relation: What leads to it from the stop before, which is the query for the first one.
    """

    label: Literal["query", "anchor", "item"]
    id: str
    text: str
    relation: str


@dataclass(frozen=True)
class Reason:
    """One reason.

    Attributes:
        kind: ``clicked``: this very query led to clicks. ``similar_query``: a query like it did. ``other_queries``: all
            other queries that did. ``title``: the item's own text. ``vector``: text and clicking queries together where
            they cannot be told apart. ``new_item`` and ``popular``: the bonus of items that nobody clicked, and that of
            popular ones. ``session``, ``anchor`` and ``co_click``: paths that shaped the training, if anything, and are
            no part of the sum.
        share: Its part of the score; negative where it speaks against the item, None where it is no part of the sum.
        votes: What of the share comes from votes; the rest comes from the item's vector.
        path: From the query to the item, the item last; empty for what is no path.
        says: The reason in words.
    """

    kind: Kind
    share: float | None
    says: str
    votes: float = 0.0
    path: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Explanation:
    """Everything that speaks for an item.

    Attributes:
        query: Text or id, as given.
        query_id: Of the training query with this text or id; None for a text that no training query has.
        item: Id of the item.
        title: Its text.
        score: What ``recommend`` gives the item for this query, and the sum of all shares; None where it gives none,
            because the encoder knows no word of the query.
        reasons: Those with a share first, the largest first.
        graph: The graph was asked. Otherwise the paths are those that the run itself knows.
        linked: A path leads from the query to the item.
        says: The outcome in words.
        collection: Collection that was asked.
        run: Run that made it.
    """

    query: str
    query_id: str | None
    item: str
    title: str
    score: float | None
    reasons: tuple[Reason, ...]
    graph: bool
    linked: bool
    says: str
    collection: str
    run: str


DRAWN = " Of the item's vectors, the one drawn towards it is the nearest."


def clicked(item: Node, clicks: int, share: float | None, votes: float, *, drawn: bool = False) -> Reason:
    """Return the reason that this very query led to clicks on the item."""
    says = f"This very query led to {times(clicks, 'click')} on it."
    if share is None:
        says = says[:-1] + ", which the score does not count by themselves."
    return Reason("clicked", share, says + DRAWN * drawn, votes, (item,))


def similar_query(
    query: Node, item: Node, likeness: float, clicks: int, share: float | None, votes: float, *, drawn: bool = False
) -> Reason:
    """Return the reason that a query like the one asked led to clicks on the item.

    Args:
        query: Like the one asked.
        item: The item.
        likeness: Cosine of both queries.
        clicks: Of the query on the item.
        share: Of the query.
        votes: What of it comes from votes.
        drawn: The nearest of the item's vectors is drawn towards the query.
    """
    says = f"A query like it ({likeness:.2f}), {query.text!r}, led to {times(clicks, 'click')} on it."
    return Reason("similar_query", share, says + DRAWN * drawn, votes, (query, item))


def beside_queries(*, learnt: bool, linked: bool, borrowed: bool) -> str:
    """Return what is in the share of :func:`other_queries` beside them.

    Args:
        learnt: The item has a residual, learnt from all of its clicks.
        linked: The mean of its anchors is in its vector.
        borrowed: Queries of the nearest items are.
    """
    parts = {"What it learnt from all of its clicks.": learnt, "What it is linked to.": linked}
    parts["What queries found items with a title like its."] = borrowed
    return " ".join(says for says, there in parts.items() if there)


def other_queries(count: int, voters: int, share: float, votes: float, beside: str = "") -> Reason:
    """Return the reason that all further queries led to clicks on the item, some of which vote.

    Args:
        count: How many.
        voters: How many of them vote.
        share: Of all of them.
        votes: What of it comes from votes.
        beside: What else is in the share.
    """
    says = f"{times(count, 'other query', 'other queries')} led to clicks on it."
    if voters:
        says = says[:-1] + f", {voters} of them among the most like this one, whose votes count ({votes:+.2f})."
    if beside:
        says = f"{beside} {says}" if count else beside
    elif not count:
        says = "The parts above, calculated again here, differ by this from the vector that was published."
    return Reason("other_queries", share, says, votes)


def title(text: str, likeness: float, share: float) -> Reason:
    """Return the reason that the item's text is like the query."""
    return Reason("title", share, f"Its title, {text!r}, is like the query ({likeness:.2f}).")


def whole_vector(queries: int, share: float) -> Reason:
    """Return the reason that is the item's vector as a whole, of a run that cannot take it apart."""
    says = (
        f"Its title and the {times(queries, 'query', 'queries')} that led to clicks on it, together; `recsys embed` "
        "makes a run whose vectors can be taken apart."
    )
    return Reason("vector", share, says)


def bonus(queries: int, share: float) -> Reason:
    """Return the reason that new items and popular items get a bonus."""
    if not queries:
        return Reason("new_item", share, "Nobody had clicked it yet, and such items get this bonus.")
    return Reason("popular", share, f"It is popular: {times(queries, 'query', 'queries')} led to clicks on it.")


def times(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
