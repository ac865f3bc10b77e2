"""What publishing a run would do, or did, and what keeps it from going live."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from qdrant_client import QdrantClient

from recsys.core.errors import DataError
from recsys.serving.alias import live_collection, outdated
from recsys.serving.contents import Contents
from recsys.serving.gate import Verdict
from recsys.serving.lineage import Lineage, collection_names, read_lineage
from recsys.serving.upload import missing_rows


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


class GateFailedError(DataError):
    """A collection is not fit to go live."""

    def __init__(self, publication: Publication, verdict: Verdict) -> None:
        self.publication = publication
        self.verdict = verdict
        failed = "; ".join(f"{check.name}: {check.says}" for check in verdict.failed)
        super().__init__(
            f"the gate refuses {publication.collection!r}: {failed}. The alias {publication.alias!r} stays at "
            f"{publication.live_before or 'nothing'}; `{publication.command} --force REASON` makes "
            "it live all the same, and notes the reason in the collection"
        )


@dataclass(frozen=True)
class Publication:
    """What publishing does, or did.

    Attributes:
        collection: Named for the run; ``alias`` points at it in the end.
        command: What publishes it.
        alias: Name that product backends query.
        items: Items of the run, and points of the whole collection.
        width: Length of a vector.
        prototypes: Vectors of an item beside its own, at most.
        is_new: The collection has to be made first.
        uploaded: Points that have to be sent; 0 for a collection that is whole.
        live_before: What the alias pointed at; None where it did not exist.
        removed: Older collections of this alias that are taken away in the end.
        seconds: Time the upload took; 0 in a plan.
        queries: Training queries that were sent to be looked up, and to vote where the run chose it; 0 in a plan.
        gate: What the gate found; None where the collection is live already.
        forced: Why it went live although the gate refused it.
    """

    collection: str
    command: str
    alias: str
    items: int
    width: int
    prototypes: int
    is_new: bool
    uploaded: int
    live_before: str | None
    removed: tuple[str, ...]
    seconds: float = 0.0
    queries: int = 0
    gate: Verdict | None = None
    forced: str | None = None


def plan_publication(client: QdrantClient, contents: Contents, alias: str) -> Publication:
    """Find out what :func:`publish` would do, and change nothing.

    Raises:
        CollectionTakenError: A collection of the run's name was made from something else.
        AliasTakenError: ``alias`` is the name of a collection.
    """
    live, name = live_collection(client, alias), contents.collection
    wanted = contents.lineage({alias: live or ""})
    found = _existing(client, name, wanted, alias)
    before = found.previous.get(alias) if found and live == name else live
    return Publication(
        collection=name,
        command=contents.command,
        alias=alias,
        items=wanted.items,
        width=wanted.width,
        prototypes=contents.scoring.prototypes,
        is_new=found is None,
        uploaded=len(missing_rows(client, name, np.arange(wanted.items))) if found else wanted.items,
        live_before=live,
        removed=tuple(outdated(client, alias, keep=(name, before))),
    )


def decide(plan: Publication, verdict: Verdict, force: str | None) -> Publication:
    """Return the publication with what the gate found, and with why it goes live all the same.

    Raises:
        GateFailedError: The gate refuses it, and ``force`` gives no reason against it.
    """
    if verdict.failed and force is None:
        raise GateFailedError(replace(plan, gate=verdict), verdict)
    return replace(plan, gate=verdict, forced=force if verdict.failed else None)


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
