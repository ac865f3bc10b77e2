"""The parts that make up an item's score for a query.

An item's vector is the direction of E(z) + a · mean of E(clicking queries), with a = α · n/(n+c); the run notes the
length L of that sum. So the score of a query x is, exactly,

    x·E(z)/L  +  Σ over the n clicking queries of a/n · x·E(q)/L  +  bonus  +  Σ over the voters of w · share

and a few of the summands can be named while the rest is one difference, however many queries clicked the item. Where
items have a residual w or the mean A of their anchors in their vectors, (E(z) + w + δ·A)/R stands for E(z), R the
length that the run notes too: E(z) gives x·E(z)/(L·R), and w and δ·A fall into the difference, as does what an item
borrows from those like it. Where the nearest of an item's vectors is one drawn towards a query q, norm(v + λ·E(q)) of
length N, all of this is divided by N, and λ·x·E(q)/N is added to what q gives.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from recsys.core.bonus import Bonus
from recsys.core.composition import Composition, weights_of_means
from recsys.core.prototypes import LEAN
from recsys.core.run import Vectors
from recsys.core.votes import shares
from recsys.graph.between import Clicker
from recsys.serving.items import Found
from recsys.serving.recommend import Recommender


@dataclass(frozen=True)
class Vote:
    """What a voter gives an item.

    Attributes:
        clicker: The voter, with its clicks as the run knows them.
        share: w · its share.
    """

    clicker: Clicker
    share: float


@dataclass(frozen=True)
class Summands:
    """An item's own score in parts.

    Attributes:
        own: x·v, the whole; v the nearest of the item's vectors.
        queries: n, clicking queries that the run knew.
        title: x·E(z)/L; None where it is unknown.
        likeness: Cosine of query and title.
        factor: a/(n·L), what x·E(q) counts of each clicking query; 0 where queries are no part of the vector.
        bonus: β where nobody clicked the item, what it gets for being popular elsewhere.
        learnt: Whether a residual is part of it.
        linked: Whether the mean of its anchors may be part of it.
        borrowed: Whether queries of the nearest items may be part of it.
        drawn: What of ``own`` the query gives that the item's nearest vector is drawn towards.
        nearest: Row of that query; None where its own vector is the nearest.
    """

    own: float
    queries: int
    title: float | None
    likeness: float
    factor: float
    bonus: float
    learnt: bool = False
    linked: bool = False
    borrowed: bool = False
    drawn: float = 0.0
    nearest: int | None = None


@dataclass(frozen=True)
class Known:
    """A query that clicked the item, with its parts of the score.

    Attributes:
        clicker: Who.
        likeness: Cosine with the query asked.
        vector: Part by the item's vector; None where it has none.
        vote: Part by its vote.
        drawn: The item's nearest vector is drawn towards it.
    """

    clicker: Clicker
    likeness: float
    vector: float | None
    vote: float
    drawn: bool = False

    @property
    def share(self) -> float | None:
        """Both parts; None where it is no part of the score."""
        return None if self.vector is None and not self.vote else (self.vector or 0.0) + self.vote


def take_apart(recommender: Recommender, asked: Vectors, item: Found, bonus: Bonus) -> Summands:
    """Take an item's own score apart.

    Args:
        recommender: Of the live collection.
        asked: Query vector without the dimensions of the bonus.
        item: The item.
        bonus: Of the search.
    """
    nearest = nearest_vector(recommender, asked, item)
    if nearest is not None:
        row, drawn_length, drawn = nearest
        whole = take_apart(recommender, asked, replace(item, prototypes=item.prototypes[:0]), bonus)
        return replace(
            whole,
            own=whole.own / drawn_length + drawn,
            title=None if whole.title is None else whole.title / drawn_length,
            factor=whole.factor / drawn_length,
            drawn=drawn,
            nearest=row,
        )
    own = float(asked @ item.vector)
    how = Composition(**recommender.questions.run.manifest.get("composition", {"alpha": 0.0, "evidence": 0.0}))
    # the run directory is there: the query was looked up in it
    cell = recommender.items.cells([item.row], ["degree", "length", "text_length"])[0] if recommender.items else {}
    n, length = cell.get("degree", 0), cell.get("length")
    gained = float(bonus.of_items(np.array([n]))[0])
    if not (how.anchors or how.borrowed) and (not n or not (how.alpha or how.residual)):
        return Summands(own, n, own, own / float(np.linalg.norm(asked)), 0.0, gained)
    if not length:
        return Summands(own, n, None, 0.0, 0.0, gained)
    encoded = recommender.questions.encode([item.title])[0]
    norms = float(np.linalg.norm(encoded) * np.linalg.norm(asked))
    dot = float(asked @ encoded)
    weight, left = (float(weight_L[0]) for weight_L in weights_of_means(np.array([n]), how))
    title, likeness = dot / (length * cell.get("text_length", 1.0)), dot / norms if norms else 0.0
    return Summands(
        own,
        n,
        title,
        likeness,
        weight / (max(n, 1) * length),
        gained,
        learnt=how.residual and n > 0,
        linked=how.anchors > 0,
        borrowed=left > 0,
    )


def nearest_vector(recommender: Recommender, asked: Vectors, item: Found) -> tuple[int, float, float] | None:
    """Return row q, |v + λ·E(q)| and λ·x·E(q)/|v + λ·E(q)| of the item's nearest vector; None where that is its own."""
    products = item.prototypes @ asked
    if not len(products) or products.max() <= asked @ item.vector:
        return None
    row = item.payload["prototypes"][int(products.argmax())]
    query = recommender.questions.known.vector(row)[: len(asked)]
    length = float(np.linalg.norm(item.vector + LEAN * query))
    return row, length, LEAN * float(asked @ query) / length


def clicker_at(recommender: Recommender, row: int, item_row: int) -> Clicker:
    """Return the query of a row with its clicks on the item of another, as the run knows them."""
    (cell,) = recommender.questions.known.cells([row], ["id", "text", "payload"])
    voted = json.loads(cell["payload"])
    return Clicker(cell["id"], cell["text"], voted["counts"][voted["items"].index(item_row)])


def votes_for(recommender: Recommender, searched: Vectors, row: int) -> dict[str, Vote]:
    """Return query id to vote, of the nearest training queries that clicked the item of this row."""
    voters = recommender.nearest_queries(searched)
    weight = recommender.lineage.how.votes
    votes: dict[str, Vote] = {}
    for voter, share in zip(voters, shares([v.score for v in voters]) if voters else (), strict=True):
        payload: dict[str, Any] = voter.payload or {}
        if row in payload["items"]:
            clicks = payload["counts"][payload["items"].index(row)]
            votes[payload["id"]] = Vote(Clicker(payload["id"], payload["text"], clicks), weight * float(share))
    return votes


def parts_of(
    recommender: Recommender,
    asked: Vectors,
    parts: Summands,
    clickers: Sequence[Clicker],
    votes: Mapping[str, Vote],
    item_row: int,
) -> list[Known]:
    """Return those of ``clickers`` that the run knows, with their parts of the score.

    Args:
        recommender: Of the live collection.
        asked: Query vector without the dimensions of the bonus.
        parts: Of the item's own score.
        clickers: Queries that clicked the item.
        votes: From :func:`votes_for`.
        item_row: Row of the item.
    """
    queries = recommender.questions.known
    rows = queries.rows_of_ids([clicker.id for clicker in clickers])
    there = [(clicker, row) for clicker, row in zip(clickers, rows, strict=True) if row is not None]
    cells = queries.cells([row for _, row in there], ["vector", "payload"])
    found = []
    for (clicker, row), cell in zip(there, cells, strict=True):
        vector = np.asarray(cell["vector"], np.float32)[: len(asked)]
        dot, norms = float(asked @ vector), float(np.linalg.norm(vector) * np.linalg.norm(asked))
        vote = votes[clicker.id].share if clicker.id in votes else 0.0
        # clicks may have come since, and what the run lists is in its vectors for certain
        inside = parts.factor > 0 and item_row in json.loads(cell["payload"]).get("items", ())
        share = parts.factor * dot if inside else None
        drawn = row == parts.nearest
        share = (share or 0.0) + parts.drawn if drawn else share
        found.append(Known(clicker, dot / norms if norms else 0.0, share, vote, drawn))
    return found
