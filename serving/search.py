"""Searches of the live collection: by vector alone, and with the votes of the nearest training queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from qdrant_client import QdrantClient, models

from recsys.core.run import Vectors
from recsys.core.votes import NEIGHBOURS, shares
from recsys.serving.only import EVERYTHING, Only, payload_key
from recsys.serving.qdrant_errors import is_there
from recsys.serving.voters import voters_of

SHOWN = models.PayloadSelectorInclude(include=["id", "title"])
"Payload that a hit needs."
BALLOT = models.PayloadSelectorInclude(include=["items"])
"Payload that a vote needs."
PARAMETERS = models.SearchParams(quantization=models.QuantizationSearchParams(rescore=True, oversampling=2.0))
"""How a server searches its index: as widely as it was built, and twice as many candidates by int8 as wanted are scored
again by float32."""

Points = list[models.ScoredPoint]
Group = str | int | float | bool


@dataclass(frozen=True)
class Scored:
    """An item on its way to be a hit.

    Attributes:
        row: Of the item.
        score: What it is ranked by.
        id: External id.
        title: Its text.
        groups: What it belongs to, where groups were asked for.
    """

    row: int
    score: float
    id: str
    title: str
    groups: tuple[Group, ...] = ()


def search(
    client: QdrantClient,
    collection: str,
    queries: Sequence[Vectors],
    k: int,
    only: Only = EVERYTHING,
    column: str | None = None,
) -> list[list[Scored]]:
    """Return the ``k`` nearest items of each vector, all in one request.

    Args:
        client: Qdrant.
        collection: Of the items.
        queries: Ready for a search; those of :func:`asked_of_many` where items have prototypes.
        k: Items wanted.
        only: What may be found.
        column: Of the payload, whose values are the groups of an item.

    Raises:
        CollectionGoneError: Somebody deleted the collection.
    """
    with is_there(collection):
        answers = _nearest(client, collection, queries, k, _shown(column), only.as_filter())
    return [_best([_scored(point, point.score, column) for point in points], k) for points in answers]


def search_with_votes(
    client: QdrantClient,
    collection: str,
    queries: Sequence[Vectors],
    k: int,
    weight: float,
    only: Only = EVERYTHING,
    column: str | None = None,
) -> list[list[Scored]]:
    """Return the ``k`` best items of each vector by its dot product + weight · votes; exact, though few are scored.

    One request searches the items, one the voters. An item outside the first ``k`` of the items' search can only be
    among the best with votes; those that may be are fetched with their vectors and scored here, in a third request.

    Args:
        client: Qdrant.
        collection: Of the items; its voters lie beside it.
        queries: Ready for a search, of unit norm but for the bonus.
        k: Hits wanted.
        weight: w, of the votes.
        only: What may be found; every voter votes.
        column: Of the payload, whose values are the groups of an item.

    Raises:
        CollectionGoneError: Somebody deleted the collection, or that of its voters.
    """
    narrowed = only.as_filter()
    with is_there(collection):
        found = _nearest(client, collection, queries, k, _shown(column), narrowed)
    with is_there(voters_of(collection)):
        voters = _nearest(client, voters_of(collection), queries, NEIGHBOURS, BALLOT)
    votes = [_count(points, weight) for points in voters]
    first = [
        [_scored(p, p.score + v.get(int(p.id), 0.0), column) for p in points]
        for points, v in zip(found, votes, strict=True)
    ]
    wanted = [_contenders(points, f, v, k) for points, f, v in zip(found, first, votes, strict=True)]
    with is_there(collection):
        fetched = _fetch(client, collection, sorted(set().union(*wanted)), narrowed, _shown(column))
    return [
        _best(f + [_vote_in(fetched[row], query, v[row], column) for row in rows if row in fetched], k)
        for query, f, v, rows in zip(queries, first, votes, wanted, strict=True)
    ]


def asked_of_many(queries: Sequence[Vectors]) -> list[Vectors]:
    """Return vectors as a collection of several vectors a point takes them: as matrices of one row."""
    return [query[None] for query in queries]


def nearest_queries(client: QdrantClient, collection: str, query: Vectors) -> Points:
    """Return the nearest training queries, with their whole payload; none where the run published no queries.

    Raises:
        CollectionGoneError: Somebody deleted the collection while it was asked.
    """
    beside = voters_of(collection)
    if not client.collection_exists(beside):
        return []
    with is_there(beside):
        return _nearest(client, beside, [query], NEIGHBOURS, models.PayloadSelectorExclude(exclude=[]))[0]


def _nearest(
    client: QdrantClient,
    collection: str,
    queries: Sequence[Vectors],
    k: int,
    payload: models.PayloadSelectorInclude | models.PayloadSelectorExclude,
    narrowed: models.Filter | None = None,
) -> list[Points]:
    if not queries:
        return []
    if len(queries) == 1:  # in a batch the client copies the vector number by number, a tenth of the whole request
        one = client.query_points(
            collection,
            queries[0].tolist(),
            limit=k,
            with_payload=payload,
            query_filter=narrowed,
            search_params=PARAMETERS,
        )
        return [one.points]
    requests = [
        models.QueryRequest(query=v.tolist(), limit=k, with_payload=payload, filter=narrowed, params=PARAMETERS)
        for v in queries
    ]
    return [answer.points for answer in client.query_batch_points(collection, requests)]


def _count(voters: Points, weight: float) -> dict[int, float]:
    """Return item row to weight times the shares of the voters that clicked it."""
    votes: dict[int, float] = {}
    if voters:
        for voter, share in zip(voters, shares([voter.score for voter in voters]), strict=True):
            for row in (voter.payload or {})["items"]:
                votes[row] = votes.get(row, 0.0) + weight * float(share)
    return votes


def _contenders(found: Points, first: list[Scored], votes: dict[int, float], k: int) -> set[int]:
    """Return the voted rows not in ``found`` that could still be among the best ``k``."""
    there = {item.row for item in first}
    if len(found) < k:
        return votes.keys() - there
    # nothing outside scores above the last one found by itself, and to be a hit it has to reach the last one with votes
    highest, bar = found[-1].score, min(item.score for item in first)
    return {row for row, vote in votes.items() if row not in there and highest + vote >= bar - 1e-6}


def _fetch(
    client: QdrantClient,
    collection: str,
    rows: list[int],
    narrowed: models.Filter | None,
    payload: models.PayloadSelectorInclude,
) -> dict[int, models.Record]:
    if not rows:
        return {}
    if narrowed is None:
        points = client.retrieve(collection, rows, with_payload=payload, with_vectors=True)
    else:
        among = models.Filter(must=[models.HasIdCondition(has_id=list(rows)), narrowed])
        points, _ = client.scroll(collection, among, limit=len(rows), with_payload=payload, with_vectors=True)
    return {int(point.id): point for point in points}


def _vote_in(point: models.Record, query: Vectors, vote: float, column: str | None) -> Scored:
    return _scored(point, float(query @ np.asarray(point.vector, dtype=np.float32)) + vote, column)


def _shown(column: str | None) -> models.PayloadSelectorInclude:
    return SHOWN if column is None else models.PayloadSelectorInclude(include=["id", "title", payload_key(column)])


def _scored(point: models.ScoredPoint | models.Record, score: float, column: str | None) -> Scored:
    payload = point.payload or {}
    return Scored(int(point.id), score, payload["id"], payload["title"], groups_of(payload, column))


def groups_of(payload: Mapping[str, Any], column: str | None) -> tuple[Group, ...]:
    """Return the values of a column of an item's payload."""
    value = payload.get(column) if column is not None else None
    return tuple(one for one in (value if isinstance(value, list) else [value]) if isinstance(one, Group))


def _best(items: Sequence[Scored], k: int) -> list[Scored]:
    return sorted(items, key=lambda item: -item.score)[:k]
