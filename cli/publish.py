"""``recsys publish``: a run's item vectors become what product backends search."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from recsys.cli.options import json_option, settings
from recsys.cli.output import note, print_json, print_line

if TYPE_CHECKING:
    from pathlib import Path

    from recsys.serving.gate import Verdict
    from recsys.serving.publication import Publication

_DONE = ("uploaded", "switched", "removed")


@click.command()
@click.argument("run", required=False)
@click.option("--alias", help="Alias to switch, instead of qdrant.alias.")
@click.option(
    "--force", metavar="REASON", help="Switch even if the gate refuses; the reason is kept with the collection."
)
@click.option(
    "--prototypes",
    metavar="K",
    type=click.IntRange(min=0),
    help="Vectors of an item beside its own, at most, in place of what the run chose.",
)
@click.option("--dry-run", is_flag=True, help="Say what would happen and change nothing.")
@json_option
def publish(
    run: str | None, alias: str | None, force: str | None, prototypes: int | None, dry_run: bool, as_json: bool
) -> None:
    """Push the item vectors of RUN (the newest by default) to Qdrant and switch the alias to them.

    Before the switch the gate compares points, index and golden queries with the run and with what is live; where it
    refuses, the live collection stays and the exit code is 1.
    """
    from recsys.core.run import find_run
    from recsys.serving.client import connect
    from recsys.serving.embedded import EMBEDDED_COMFORT, embedded_directory
    from recsys.serving.publication import GateFailedError
    from recsys.serving.publish import publish as carry_out
    from recsys.serving.publish import rehearse
    from recsys.serving.storage import Storage

    chosen = settings(qdrant={"alias": alias})
    qdrant, found = chosen.qdrant, find_run(chosen.workspace / "runs", run)
    embedded = embedded_directory(qdrant, chosen.workspace)
    judged: dict[str, Any] = {"tolerance": qdrant.gate_tolerance, "force": force, "prototypes": prototypes}
    with connect(qdrant, chosen.workspace) as client:
        try:
            if dry_run:
                done = rehearse(client, found, qdrant.alias, **judged)
            else:
                storage = Storage(qdrant.indexed, qdrant.int8_from)
                done = carry_out(client, found, qdrant.alias, embedded=embedded, storage=storage, **judged)
        except GateFailedError as error:
            _show(error.publication, dry_run, embedded, as_json)
            raise
    if embedded is not None and done.items > EMBEDDED_COMFORT:
        note(
            f"Embedded Qdrant compares a query with every one of the {done.items:,} items; above {EMBEDDED_COMFORT:,} "
            "start a Qdrant server and publish again: `recsys up --qdrant` where Qdrant's program is on PATH, else "
            "docker run -p 127.0.0.1:6333:6333 qdrant/qdrant and RECSYS_QDRANT__URL=http://localhost:6333."
        )
    _show(done, dry_run, embedded, as_json)


def _show(done: Publication, dry_run: bool, embedded: Path | None, as_json: bool) -> None:
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
    if done.prototypes:
        print_line(f"an item has up to {done.prototypes} vectors beside its own, each drawn towards a query")
    if done.queries:
        print_line(f"uploaded {done.queries:,} training queries to {done.collection}-queries")
    if done.gate is not None:
        _tell_gate(done.gate)
        if done.gate.failed and done.forced is None:
            return
    if done.forced is not None:
        print_line(f"against the gate, because: {done.forced}")
    if done.live_before == done.collection:
        print_line(f"the alias {done.alias} already points at it")
    else:
        print_line(f"{switch} the alias {done.alias} from {done.live_before or 'nothing'} to {done.collection}")
    for name in done.removed:
        print_line(f"{remove} the older collection {name}")


def _tell_gate(verdict: Verdict) -> None:
    for check in verdict.checks:
        mark = {True: "ok", False: "FAILED", None: "-"}[check.passed]
        print_line(f"gate {check.name.ljust(8)} {mark.ljust(6)} {check.says}")
    if verdict.overlap is not None:
        print_line(
            f"gate overlap         {verdict.overlap:.1f}% of the first ten results are those of the live collection"
        )
