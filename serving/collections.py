"""What is published: every collection that recsys made, where it comes from and who looks at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from qdrant_client import QdrantClient

from recsys.serving.alias import alias_targets
from recsys.serving.lineage import all_lineages, collection_names
from recsys.serving.voters import voters_of


@dataclass(frozen=True)
class Published:
    """A collection of items.

    Attributes:
        collection: Its name.
        aliases: That point at it, sorted.
        run: Run that made it.
        encoder_hash: Of the run's encoder.
        snapshot: State of the graph that the run read.
        items: Points it has when it is whole.
        points: Points it has.
        indexed: Vectors that the index holds; a server scans small parts instead, embedded mode everything.
        queries: Points of the collection of training queries beside it; 0 where there is none.
        int8: Vectors are kept in int8 too.
        created_at: When the run was made.
        age_seconds: How long ago that is.
        forced: Why it went live against the gate; empty where it did not.
    """

    collection: str
    aliases: tuple[str, ...]
    run: str
    encoder_hash: str
    snapshot: Mapping[str, Any]
    items: int
    points: int
    indexed: int
    queries: int
    int8: bool
    created_at: str
    age_seconds: float
    forced: Mapping[str, Any]


def list_published(client: QdrantClient, now: datetime) -> list[Published]:
    """Return the collections that recsys made, youngest run first.

    Args:
        client: Qdrant.
        now: With a time zone.
    """
    targets, names = alias_targets(client), collection_names(client)
    found = []
    for name, lineage in all_lineages(client).items():
        info, beside = client.get_collection(name), voters_of(name)
        published = Published(
            collection=name,
            aliases=tuple(sorted(alias for alias, target in targets.items() if target == name)),
            run=lineage.run,
            encoder_hash=lineage.encoder_hash,
            snapshot=lineage.snapshot,
            items=lineage.items,
            points=client.count(name, exact=True).count,
            indexed=info.indexed_vectors_count or 0,
            queries=client.count(beside, exact=True).count if beside in names else 0,
            int8=info.config.quantization_config is not None,
            created_at=lineage.created_at,
            age_seconds=(now - datetime.fromisoformat(lineage.created_at)).total_seconds(),
            forced=lineage.forced,
        )
        found.append(published)
    return sorted(found, key=lambda published: (published.created_at, published.collection), reverse=True)
