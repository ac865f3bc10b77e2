"""Gives a run a collection of its own and makes it the live one, once it is whole."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from qdrant_client import QdrantClient

from recsys.core.errors import DataError, ServiceError
from recsys.core.run import Run
from recsys.serving.alias import live_collection, outdated, switch
from recsys.serving.lineage import Lineage, collection_names, lineage_of_run, read_lineage
from recsys.serving.upload import create_collection, item_payload, missing_rows, upload
from recsys.serving.voters import publish_voters, remove


class CollectionTakenError(DataError):
    """A collection has the run's name and was not made from this run."""

    def __init__(self, collection: str, found: Lineage | None) -> None:
        self.collection = collection
        self.found = found
        maker = f"an earlier run of that name (of {found.created_at})" if found else "something else than recsys"
        super().__init__(
            f"Qdrant already has a collection {collection!r}, made by {maker}; "
            "delete it there or rename the run directory, then run `recsys publish` again"
        )


class AliasTakenError(DataError):
    """The alias is the name of a collection, there or to be made."""

    def __init__(self, alias: str) -> None:
        self.alias = alias
        super().__init__(
            f"{alias!r} is the name of a collection and cannot be the alias as well; "
            "set qdrant.alias to another name, then run `recsys publish` again"
        )


class IncompleteError(ServiceError):
    """After the upload Qdrant holds another number of points than the run has items."""

    def __init__(self, collection: str, points: int, items: int) -> None:
        self.collection = collection
        self.points = points
        self.items = items
        super().__init__(
            f"the collection {collection!r} holds {points} points after the upload instead of {items}, so it was not "
            "made live; run `recsys publish` again, and if that does not help delete the collection first"
        )


@dataclass(frozen=True)
class Publication:
    """What publishing does, or did.

    Attributes:
        collection: Named for the run; ``alias`` points at it in the end.
        alias: Name that product backends query.
        items: Items of the run, and points of the whole collection.
        width: Length of a vector.
        is_new: The collection has to be made first.
        uploaded: Points that have to be sent; 0 for a collection that is whole.
        live_before: What the alias pointed at; None where it did not exist.
        removed: Older collections of this alias that are taken away in the end.
        seconds: Time the upload took; 0 in a plan.
        queries: Training queries that were sent to vote, of runs that chose votes; 0 in a plan.
    """

    collection: str
    alias: str
    items: int
    width: int
    is_new: bool
    uploaded: int
    live_before: str | None
    removed: tuple[str, ...]
    seconds: float = 0.0
    queries: int = 0


def plan_publication(client: QdrantClient, run: Run, alias: str) -> Publication:
    """Find out what :func:`publish` would do, and change nothing.

    Raises:
        CollectionTakenError: A collection of the run's name was made from something else.
        AliasTakenError: ``alias`` is the name of a collection.
    """
    live = live_collection(client, alias)
    wanted = lineage_of_run(run, {alias: live or ""})
    found = _existing(client, run.name, wanted, alias)
    before = found.previous.get(alias) if found and live == run.name else live
    return Publication(
        collection=run.name,
        alias=alias,
        items=wanted.items,
        width=wanted.width,
        is_new=found is None,
        uploaded=len(missing_rows(client, run.name, np.arange(wanted.items))) if found else wanted.items,
        live_before=live,
        removed=tuple(outdated(client, alias, keep=(run.name, before))),
    )


def publish(client: QdrantClient, run: Run, alias: str, *, embedded: Path | None) -> Publication:
    """Send what a run's collection lacks, switch ``alias`` to it when it is whole, remove collections nobody needs.

    Where the run chose votes, its training queries become a second collection, before the switch.

    Doing it again changes nothing; after an interruption it goes on where the upload stopped. The live collection and
    the one before it stay, for :func:`recsys.serving.alias.roll_back`.

    Args:
        client: From :func:`recsys.serving.client.connect`.
        run: Finished run; point ids are the rows of its items, payloads hold ``id``, ``title``, ``clicks`` and the
            item's further columns.
        alias: Name that product backends query.
        embedded: Directory of embedded Qdrant, None for a server.

    Raises:
        CollectionTakenError: A collection of the run's name was made from something else.
        VotersTakenError: A collection of its queries' name was.
        AliasTakenError: ``alias`` is the name of a collection.
        IncompleteError: Points are missing after the upload; the alias stays where it is.
    """
    plan = plan_publication(client, run, alias)
    lineage = lineage_of_run(run, {alias: plan.live_before or ""})
    if plan.is_new:
        create_collection(client, run.name, lineage, embedded)
    started = time.perf_counter()
    if plan.uploaded:
        upload(client, run.name, run.items(), missing_rows(client, run.name, np.arange(plan.items)), item_payload)
    seconds = time.perf_counter() - started
    points = client.count(run.name, exact=True).count
    if points != plan.items:
        raise IncompleteError(run.name, points, plan.items)
    queries = publish_voters(client, run, lineage, embedded) if lineage.how.votes else 0
    switch(client, alias, run.name)
    for name in plan.removed:
        remove(client, name)
    return replace(plan, seconds=seconds, queries=queries)


def _existing(client: QdrantClient, name: str, wanted: Lineage, alias: str) -> Lineage | None:
    names = collection_names(client)
    if alias in {*names, name}:
        raise AliasTakenError(alias)
    if name not in names:
        return None
    found = read_lineage(client, name)
    if found is None or not found.same_run(wanted):
        raise CollectionTakenError(name, found)
    return found
