"""Where a collection comes from, kept in the collection's own metadata in Qdrant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from typing import Any

from qdrant_client import QdrantClient

from recsys.core.run import Run
from recsys.core.scoring import Scoring


@dataclass(frozen=True)
class Lineage:
    """What made a collection, and what was live before it.

    Attributes:
        run: Name of the run directory.
        encoder_hash: :func:`recsys.core.files.hash_tree` of the run's ``encoder/``.
        snapshot: State of the graph that the run read.
        items: Points the collection has when it is whole.
        width: Length of a vector.
        created_at: When the run was made, ISO 8601.
        previous: Alias to the collection it pointed at before this one; empty text where there was none.
        scoring: Fields of :class:`recsys.core.scoring.Scoring`; none means one search by cosine.
        forced: Of a collection that went live against the gate: the ``reason``, what ``failed`` and the time (``at``).
    """

    run: str
    encoder_hash: str
    snapshot: Mapping[str, Any]
    items: int
    width: int
    created_at: str
    previous: Mapping[str, str]
    scoring: Mapping[str, Any] = field(default_factory=dict)
    forced: Mapping[str, Any] = field(default_factory=dict)

    @property
    def how(self) -> Scoring:
        """How the collection is to be searched."""
        return Scoring(**self.scoring)

    def same_run(self, other: Lineage) -> bool:
        """Say whether both were made from one run directory, however they went live."""
        apart = {"previous": None, "forced": None}
        return {**asdict(self), **apart} == {**asdict(other), **apart}

    def as_metadata(self) -> dict[str, Any]:
        """Return it as collection metadata."""
        return asdict(self)


def lineage_of_run(run: Run, previous: Mapping[str, str], scoring: Scoring | None = None) -> Lineage:
    """Return the lineage of a collection that is to be made from ``run``, from its manifest.

    Args:
        run: Finished run.
        previous: As of a lineage.
        scoring: How it is to be searched, where that is not as the run chose.
    """
    instead = {} if scoring is None else {"scoring": asdict(scoring)}
    return _from({**run.manifest, "run": run.name, "previous": previous, **instead})


def read_lineage(client: QdrantClient, collection: str) -> Lineage | None:
    """Return the lineage of a collection, or None when recsys did not make it."""
    metadata = client.get_collection(collection).config.metadata or {}
    needed = {f.name for f in fields(Lineage) if f.default_factory is MISSING}
    return _from(metadata) if needed <= metadata.keys() else None


def _from(values: Mapping[str, Any]) -> Lineage:
    return Lineage(**{f.name: values[f.name] for f in fields(Lineage) if f.name in values})


def collection_names(client: QdrantClient) -> set[str]:
    """Return the names of all collections; aliases are not among them."""
    return {c.name for c in client.get_collections().collections}


def all_lineages(client: QdrantClient) -> dict[str, Lineage]:
    """Return collection to lineage for every collection that recsys made."""
    found = {name: read_lineage(client, name) for name in collection_names(client)}
    return {name: lineage for name, lineage in found.items() if lineage is not None}
