"""``recsys collections``: what is published, from which run, and which alias looks at it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from recsys.cli.options import json_option, settings
from recsys.cli.output import print_json, print_line, print_table

if TYPE_CHECKING:
    from recsys.serving.collections import Published

_COLUMNS = ("collection", "alias", "run", "encoder", "snapshot", "points", "queries", "indexed", "age")
_AGES = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


@click.command()
@json_option
def collections(as_json: bool) -> None:
    """List the collections that recsys made, youngest run first: alias, run, encoder, snapshot, points and age."""
    from recsys.serving.client import connect
    from recsys.serving.collections import list_published

    chosen = settings()
    with connect(chosen.qdrant, chosen.workspace) as client:
        found = list_published(client, datetime.now(UTC))
    if as_json:
        print_json({"collections": [asdict(published) for published in found]})
    elif found:
        print_table([_row(published) for published in found], _COLUMNS)
        for published in found:
            if published.forced:
                print_line(f"{published.collection} went live against the gate: {published.forced['reason']}")
    else:
        print_line("nothing is published; `recsys publish` does")


def _row(published: Published) -> dict[str, Any]:
    missing = published.items - published.points
    return {
        "collection": published.collection,
        "alias": ", ".join(published.aliases),
        "run": published.run,
        "encoder": published.encoder_hash[:12],
        "snapshot": _snapshot(published.snapshot),
        "points": f"{published.points:,}" + (f" ({missing:,} missing)" if missing else ""),
        "queries": published.queries,
        "indexed": published.indexed,
        "age": _age(published.age_seconds),
    }


def _snapshot(snapshot: Any) -> str:
    pairs = snapshot.get("clicked_pairs")
    return "" if pairs is None else f"{pairs:,} clicked pairs of {len(snapshot.get('batches', ())):,} batches"


def _age(seconds: float) -> str:
    size, unit = next((pair for pair in _AGES if seconds >= pair[0]), _AGES[-1])
    return f"{max(seconds, 0) // size:.0f} {unit}"
