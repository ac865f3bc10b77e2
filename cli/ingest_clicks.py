"""``recsys ingest clicks``: click logs into the graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from recsys.cli.ingest_follow import follow_clicks
from recsys.cli.ingest_job import find_sources, open_hadoop, run_ingest
from recsys.cli.ingest_options import column, rules_options, table_options
from recsys.cli.options import settings
from recsys.core.errors import UsageError

if TYPE_CHECKING:
    from recsys.ingest.layout import Layout


@click.command()
@column("query_text", "the query's text")
@column("query_id", "the query's id; made from the text unless there")
@column("item_id", "the clicked item's id")
@column("item_title", "the item's title")
@column("session", "the session's id")
@column("timestamp", "the time, ISO 8601 or Unix")
@column("count", "the number of clicks a row stands for; 1 unless there")
@rules_options
@click.option("--follow", is_flag=True, help="Keep adding files as they arrive in the folder, until Ctrl-C.")
@click.option("--again", is_flag=True, help="Count rows that are in already once more.")
@click.option("--max-session-clicks", type=int, metavar="N", help="Set sessions of more clicks aside, as robots.")
@click.option(
    "--session-window", type=float, metavar="MINUTES", help="Join queries of a session this close; 0 joins none."
)
@click.option(
    "--bulk/--no-bulk",
    " /--online",
    default=None,
    help="Load by Neo4j's offline importer, or not at all so; large logs are into an empty managed graph.",
)
@table_options
def clicks(
    paths: tuple[str, ...],
    session_window: float | None,
    layout: Layout,
    events: Mapping[str, int],
    timestamp_format: str | None,
    timezone: str | None,
    max_session_clicks: int | None,
    again: bool,
    bulk: bool | None,
    follow: bool,
    max_rejects: str | None,
    dry_run: bool,
    master: str | None,
    as_json: bool,
    **named: str | None,
) -> None:
    """Add the click logs at PATHS to the graph."""
    from dataclasses import replace

    if again and bulk:
        raise UsageError("--again counts rows that are in, and --bulk needs an empty graph; give one of them")
    from recsys.ingest.clean import clicks_by
    from recsys.ingest.clicks import load_clicks
    from recsys.ingest.rules import Rules

    chosen = settings(
        spark={"master": master},
        ingest={
            "session_window": session_window,
            "timezone": timezone,
            "max_rejects": max_rejects,
            "max_session_clicks": max_session_clicks,
        },
    )
    rules = Rules(events, timestamp_format, ZoneInfo(chosen.ingest.timezone))
    if follow:
        if again or dry_run or bulk:
            raise UsageError("--follow goes with none of --again, --bulk and --dry-run")
        follow_clicks(paths, chosen, named, layout, rules, as_json=as_json)
        return
    with open_hadoop(paths, chosen) as hadoop:
        sources = find_sources(paths, clicks_by(rules), named, layout, hadoop)
        run_ingest(
            lambda job: load_clicks(replace(job, again=again), sources, rules),
            chosen,
            dry_run=dry_run,
            as_json=as_json,
            bulk=bulk,
        )
