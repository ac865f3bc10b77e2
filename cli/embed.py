"""``recsys embed``: vectors of a run again, from the graph as it is now."""

from __future__ import annotations

from dataclasses import asdict

import click

from recsys.cli.options import json_option, settings
from recsys.cli.output import note, print_fields, print_json, print_line


@click.command()
@click.argument("run", required=False)
@click.option("--dry-run", is_flag=True, help="Say what is new in the graph, and write nothing.")
@json_option
def embed(run: str | None, dry_run: bool, as_json: bool) -> None:
    """Make item and query vectors again with the encoder of RUN (the newest by default), without training.

    The new run has what was ingested since then: new items can be published in minutes.
    """
    from recsys.cli.clients import open_graph
    from recsys.core.run import find_run

    chosen = settings()
    runs = chosen.workspace / "runs"
    found = find_run(runs, run)
    with open_graph(chosen) as graph:
        note("loading the encoder")
        from recsys.model.embed import embed as embed_again
        from recsys.model.embed import plan_embedding

        plan = asdict(plan_embedding(graph, found))
        made = None if dry_run else embed_again(graph, found, runs)
    facts = {"from": plan.pop("run"), **plan}
    if made:
        facts = {"run": made.name, "path": str(made.path), **facts}
    if as_json:
        print_json({**facts, "dry_run": dry_run})
        return
    print_fields(facts)
    if made:
        print_line("next: recsys publish")
