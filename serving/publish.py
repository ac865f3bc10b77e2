"""Gives a run a collection of its own and makes it the live one, once it is whole."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from qdrant_client import QdrantClient, models

from recsys.core.errors import DataError, ServiceError
from recsys.core.run import Run, Table
from recsys.core.settings import QdrantSettings
from recsys.serving.alias import switch
from recsys.serving.contents import Contents
from recsys.serving.gate import Verdict, judge
from recsys.serving.publication import Publication, decide, plan_publication
from recsys.serving.storage import Effort, Storage, build_index, efforts_left, index_payload
from recsys.serving.upload import create_collection, item_payload, missing_rows, upload
from recsys.serving.voters import publish_voters, remove

DEFAULT: Final = Storage()
TOLERANCE: Final = QdrantSettings().gate_tolerance


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


class RunDamagedError(DataError):
    """The vectors of a run are not what its manifest says."""

    def __init__(self, run: str, reason: str) -> None:
        self.run = run
        super().__init__(
            f"items.parquet of the run {run!r} cannot be published: {reason}; bring the original run directory back, "
            "or publish another run"
        )


def rehearse(
    client: QdrantClient,
    run: Run,
    alias: str,
    *,
    tolerance: float = TOLERANCE,
    force: str | None = None,
    prototypes: int | None = None,
) -> Publication:
    """Find out what :func:`publish` would do and what the gate would say to the run's vectors; change nothing.

    Raises:
        GateFailedError: It would refuse them, and ``force`` gives no reason against it.
        RunDamagedError: The run's vectors are not what its manifest says.
        CollectionTakenError: A collection of the run's name was made from something else.
        AliasTakenError: ``alias`` is the name of a collection.
    """
    contents = Contents.of(run, prototypes)
    plan = plan_publication(client, contents, alias)
    _check_table(run, contents.items)
    if plan.live_before == plan.collection:
        return plan
    return decide(plan, judge(client, contents, plan.live_before, tolerance, uploaded=False), force)


def publish(
    client: QdrantClient,
    run: Run,
    alias: str,
    *,
    embedded: Path | None,
    storage: Storage = DEFAULT,
    tolerance: float = TOLERANCE,
    force: str | None = None,
    prototypes: int | None = None,
) -> Publication:
    """Send what a run's collection lacks, switch ``alias`` to it when it passes the gate, remove what nobody needs.

    The run's training queries become a second collection, before the gate: on a server always, for backends to look
    them up by id or text, in embedded mode where the run chose votes.

    Doing it again changes nothing; after an interruption it goes on where the upload stopped. The live collection and
    the one before it stay, for :func:`recsys.serving.alias.roll_back`.

    Args:
        client: From :func:`recsys.serving.client.connect`.
        run: Finished run; point ids are the rows of its items, payloads are those of
            :func:`recsys.serving.upload.item_payload`.
        alias: Name that product backends query.
        embedded: Directory of embedded Qdrant, None for a server.
        storage: How a server keeps the collection.
        tolerance: Percentage points that golden queries may fare worse than with the live collection.
        force: Why it is to go live even if the gate refuses it.
        prototypes: Vectors of an item beside its own, at most, in place of what the run chose; then the collection has
            a name of its own.

    Raises:
        CollectionTakenError: A collection of the run's name was made from something else.
        VotersTakenError: A collection of its queries' name was.
        AliasTakenError: ``alias`` is the name of a collection.
        UnknownColumnError: A column that is to be indexed is in no item.
        RunDamagedError: The run's vectors are not what its manifest says.
        IncompleteError: Points are missing after the upload; the alias stays where it is.
        NotIndexedError: A server did not finish its index; the alias stays where it is.
        GateFailedError: The gate refused it; the alias stays where it is.
    """
    contents = Contents.of(run, prototypes)
    plan, name = plan_publication(client, contents, alias), contents.collection
    _check_table(run, contents.items)
    lineage, schema = contents.lineage({alias: plan.live_before or ""}), storage.schema(contents.items)
    if plan.is_new:
        quantization = storage.quantization(plan.items)
        create_collection(client, name, lineage, embedded, many=plan.prototypes > 0, quantization=quantization)
    seconds = _fill(client, plan, contents, schema)
    needed = lineage.how.votes or embedded is None
    queries = publish_voters(client, name, contents.queries, lineage, embedded) if needed else 0
    verdict = _judged(client, plan, contents, tolerance, efforts_left(client, name) if embedded is None else ())
    done = replace(plan, seconds=seconds, queries=queries)
    if verdict is not None:
        done = decide(done, verdict, force)
        switch(client, alias, name, forced=_noted(done))
    for older in plan.removed:
        remove(client, older)
    return done


def _judged(
    client: QdrantClient, plan: Publication, contents: Contents, tolerance: float, efforts: Sequence[Effort]
) -> Verdict | None:
    """Index the vectors and ask the gate, with more effort while the index misses too much; None for what is live."""
    many, verdict = plan.prototypes > 0, None
    for effort in efforts or (None,):
        if effort is not None:
            build_index(client, plan.collection, effort, many=many)
        if plan.live_before == plan.collection:
            return None
        verdict = judge(client, contents, plan.live_before, tolerance)
        if many or all(check.name != "index" for check in verdict.failed):
            break
    return verdict


def _fill(
    client: QdrantClient, plan: Publication, contents: Contents, schema: dict[str, models.PayloadSchemaType]
) -> float:
    """Index the payload, send what is missing, and return how long that took."""
    name, started = plan.collection, time.perf_counter()
    index_payload(client, name, schema)
    if plan.uploaded:
        missing = missing_rows(client, name, np.arange(plan.items))
        upload(client, name, contents.items, missing, item_payload, contents.prototypes)
    points = client.count(name, exact=True).count
    if points != plan.items:
        raise IncompleteError(name, points, plan.items)
    return time.perf_counter() - started


def _check_table(run: Run, table: Table) -> None:
    wanted = (run.manifest["items"], run.manifest["width"])
    if table.vectors.shape != wanted:
        found = " × ".join(map(str, table.vectors.shape))
        raise RunDamagedError(run.name, f"it holds {found} numbers, and the manifest says {wanted[0]} × {wanted[1]}")
    if not np.isfinite(table.vectors).all():
        raise RunDamagedError(run.name, "some of its numbers are not finite")


def _noted(done: Publication) -> dict[str, Any] | None:
    if done.forced is None or done.gate is None:
        return None
    failed = {check.name: check.says for check in done.gate.failed}
    return {"reason": done.forced, "failed": failed, "at": datetime.now(UTC).isoformat(timespec="seconds")}
