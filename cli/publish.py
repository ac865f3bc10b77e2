"""``recsys publish``: a run's item vectors become what product backends search."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from recsys.cli.options import json_option, settings
from recsys.cli.output import note, print_json, print_line

if TYPE_CHECKING:
    from recsys.serving.publish import Publication

_DONE = ("uploaded", "switched", "removed")


@click.command()
@click.argument("run", required=False)
@click.option("--alias", help="Alias to switch, instead of qdrant.alias.")
@click.option("--dry-run", is_flag=True, help="Say what would happen and change nothing.")
@json_option
def publish(run: str | None, alias: str | None, dry_run: bool, as_json: bool) -> None:
    """Push the item vectors of RUN (the newest by default) to Qdrant and switch the alias to them."""
    from recsys.core.run import find_run
    from recsys.serving.client import EMBEDDED_COMFORT, connect, embedded_directory
    from recsys.serving.publish import plan_publication
    from recsys.serving.publish import publish as carry_out

    chosen = settings(qdrant={"alias": alias})
    found = find_run(chosen.workspace / "runs", run)
    embedded = embedded_directory(chosen.qdrant, chosen.workspace)
    with connect(chosen.qdrant, chosen.workspace) as client:
        if dry_run:
            done = plan_publication(client, found, chosen.qdrant.alias)
        else:
            done = carry_out(client, found, chosen.qdrant.alias, embedded=embedded)
    if embedded is not None and done.items > EMBEDDED_COMFORT:
        note(
            f"Embedded Qdrant compares a query with every one of the {done.items:,} items; above {EMBEDDED_COMFORT:,} "
            "start a Qdrant server, set qdrant.url (RECSYS_QDRANT__URL=http://localhost:6333) and publish again."
        )
    if as_json:
        print_json({**asdict(done), "dry_run": dry_run, "embedded": embedded is not None})
    else:
        _tell(done, dry_run)


def _tell(done: Publication, dry_run: bool) -> None:
    upload, switch, remove = ("would upload", "would switch", "would remove") if dry_run else _DONE
    if done.uploaded:
        state = "a new collection" if done.is_new else "the unfinished collection"
        rate = "" if dry_run else f" in {done.seconds:.1f} s ({done.uploaded / done.seconds:,.0f}/s)"
        print_line(f"{upload} {done.uploaded:,} of {done.items:,} items to {state} {done.collection}{rate}")
    else:
        print_line(f"the collection {done.collection} already holds all {done.items:,} items")
    if done.queries:
        print_line(f"uploaded {done.queries:,} training queries to {done.collection}-queries, to vote")
    if done.live_before == done.collection:
        print_line(f"the alias {done.alias} already points at it")
    else:
        print_line(f"{switch} the alias {done.alias} from {done.live_before or 'nothing'} to {done.collection}")
    for name in done.removed:
        print_line(f"{remove} the older collection {name}")
