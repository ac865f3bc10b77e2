"""The alias that product backends query: which collection it points at, and moving it on and back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from qdrant_client import QdrantClient, models

from recsys.core.errors import DataError
from recsys.serving.lineage import Lineage, all_lineages, collection_names, read_lineage


class NothingPublishedError(DataError):
    """The alias does not exist yet."""

    def __init__(self, alias: str) -> None:
        self.alias = alias
        super().__init__(f"no collection is published under the alias {alias!r}; run `recsys publish`")


class ForeignCollectionError(DataError):
    """The alias points at a collection that does not say which run made it."""

    def __init__(self, alias: str, collection: str) -> None:
        self.alias = alias
        self.collection = collection
        super().__init__(
            f"the alias {alias!r} points at {collection!r}, which recsys did not publish; "
            "set qdrant.alias to another name, or run `recsys publish` to take this one over"
        )


class NothingBeforeError(DataError):
    """There is no collection to roll back to."""

    def __init__(self, alias: str, live: str) -> None:
        self.alias = alias
        self.live = live
        super().__init__(
            f"nothing to go back to: {live!r} is live under {alias!r} and no collection from before it is left; "
            "`recsys publish RUN` publishes any other run"
        )


@dataclass(frozen=True)
class Rollback:
    """An alias that went back.

    Attributes:
        alias: The alias.
        left: Collection it pointed at.
        collection: Collection it points at now.
    """

    alias: str
    left: str
    collection: str


def live_collection(client: QdrantClient, alias: str) -> str | None:
    """Return the name of the collection that ``alias`` points at, or None."""
    return alias_targets(client).get(alias)


def live_lineage(client: QdrantClient, alias: str) -> tuple[str, Lineage]:
    """Return the live collection and its lineage.

    Raises:
        NothingPublishedError: There is no such alias.
        ForeignCollectionError: It points at a collection that recsys did not make.
    """
    live = live_collection(client, alias)
    if live is None:
        raise NothingPublishedError(alias)
    lineage = read_lineage(client, live)
    if lineage is None:
        raise ForeignCollectionError(alias, live)
    return live, lineage


def switch(client: QdrantClient, alias: str, collection: str, *, forced: Mapping[str, Any] | None = None) -> None:
    """Point ``alias`` at a collection of ours in one action, after noting there what it pointed at before.

    Args:
        client: Qdrant.
        alias: To be moved.
        collection: Where to.
        forced: Noted too: why it goes live against the gate.
    """
    live = live_collection(client, alias)
    lineage = read_lineage(client, collection)
    if live == collection or lineage is None:
        return
    noted = {"previous": {**lineage.previous, alias: live or ""}, "forced": dict(forced or {})}
    client.update_collection(collection, metadata=noted)
    _point(client, alias, collection)


def roll_back(client: QdrantClient, alias: str) -> Rollback:
    """Point ``alias`` back at the collection that was live before the present one.

    Raises:
        NothingPublishedError: There is no such alias.
        ForeignCollectionError: It points at a collection that recsys did not make.
        NothingBeforeError: The first collection is live, or the one before was removed.
    """
    live, lineage = live_lineage(client, alias)
    before = lineage.previous.get(alias, "")
    if before not in collection_names(client):
        raise NothingBeforeError(alias, live)
    _point(client, alias, before)
    return Rollback(alias, left=live, collection=before)


def outdated(client: QdrantClient, alias: str, *, keep: Collection[str | None]) -> list[str]:
    """Return collections that were published under ``alias`` alone, are under no alias now and are not in ``keep``."""
    in_use = {*keep, *alias_targets(client).values()}
    ours = all_lineages(client).items()
    return sorted(name for name, lineage in ours if name not in in_use and set(lineage.previous) == {alias})


def alias_targets(client: QdrantClient) -> dict[str, str]:
    """Return each alias with the collection that it points at."""
    return {a.alias_name: a.collection_name for a in client.get_aliases().aliases}


def _point(client: QdrantClient, alias: str, collection: str) -> None:
    # creating an alias that exists moves it, in one step that no query can fall between
    create = models.CreateAlias(collection_name=collection, alias_name=alias)
    client.update_collection_aliases([models.CreateAliasOperation(create_alias=create)])
