"""``recsys ingest``: click logs, item tables and link tables into the graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from recsys.cli.ingest_follow import follow_clicks
from recsys.cli.ingest_job import open_hadoop, open_job
from recsys.cli.ingest_options import column, layout_options, rules_options
from recsys.cli.ingest_rejects import rejects
from recsys.cli.ingest_walk import walk
from recsys.cli.options import json_option, settings
from recsys.cli.output import note, print_json, print_line
from recsys.core.errors import UsageError

if TYPE_CHECKING:
    from recsys.core.settings import Settings
    from recsys.ingest.clean import Kind
    from recsys.ingest.hadoop import Hadoop
    from recsys.ingest.job import Job
    from recsys.ingest.layout import Layout
    from recsys.ingest.read import Source
    from recsys.ingest.summary import Summary


@click.group()
def ingest() -> None:
    """Bring clicks, items or links into the graph.

    PATHS are files, folders or quoted globs of CSV, JSON Lines and Parquet, compressed ones too, here or at an address
    that Hadoop reads, such as s3a:// and hdfs://. Rows that cannot be used are set aside with the reason; the same rows
    are never added twice, so a command may always be run again.
    """


ingest.add_command(rejects)
ingest.add_command(walk)


def _shared(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        json_option,
        click.option("--max-rejects", metavar="N|N%", help="Write nothing when more rows cannot be used, such as 1%."),
        click.option("--master", metavar="URL", help="Spark master; local[*] unless set."),
        click.option("--dry-run", is_flag=True, help="Read and check everything, write nothing."),
        layout_options,
        click.argument("paths", nargs=-1, required=True),
    ):
        command = option(command)
    return command


@ingest.command()
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
@_shared
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
        sources = _sources(paths, clicks_by(rules), named, layout, hadoop)
        _run(
            lambda job: load_clicks(replace(job, again=again), sources, rules),
            chosen,
            dry_run=dry_run,
            as_json=as_json,
            bulk=bulk,
        )


@ingest.command()
@column("item_id", "the item's id")
@column("item_title", "the item's title")
@_shared
def items(
    paths: tuple[str, ...],
    layout: Layout,
    max_rejects: str | None,
    dry_run: bool,
    master: str | None,
    as_json: bool,
    **named: str | None,
) -> None:
    """Add the items at PATHS to the graph; every further column becomes a property."""
    from recsys.ingest.clean import ITEMS
    from recsys.ingest.items import load_items

    chosen = settings(spark={"master": master}, ingest={"max_rejects": max_rejects})
    with open_hadoop(paths, chosen) as hadoop:
        sources = _sources(paths, ITEMS, named, layout, hadoop)
        _run(lambda job: load_items(job, sources), chosen, dry_run=dry_run, as_json=as_json)


@ingest.command()
@column("source", "the id of a query, an item or another node")
@column("relation", "the relation's name")
@column("target", "the id of the node that it leads to")
@click.option("--relation-name", metavar="NAME", help="The relation of all rows, for files without such a column.")
@click.option("--nodes", metavar="PATH", multiple=True, help="Table with node_id and title: texts of the nodes.")
@_shared
def links(
    paths: tuple[str, ...],
    nodes: tuple[str, ...],
    relation_name: str | None,
    layout: Layout,
    max_rejects: str | None,
    dry_run: bool,
    master: str | None,
    as_json: bool,
    **named: str | None,
) -> None:
    """Add the links at PATHS to the graph, from queries and items to categories, tags, pages and the like."""
    from recsys.ingest.clean import LINKS, NODES
    from recsys.ingest.layout import Layout
    from recsys.ingest.links import load_links

    chosen = settings(spark={"master": master}, ingest={"max_rejects": max_rejects})
    with open_hadoop((*paths, *nodes), chosen) as hadoop:
        sources = _sources(paths, LINKS, named, layout, hadoop, relation_name)
        texts = _sources(nodes, NODES, {}, Layout(), hadoop) if nodes else []
        _run(lambda job: load_links(job, sources, texts), chosen, dry_run=dry_run, as_json=as_json)


@ingest.command()
@json_option
def relations(as_json: bool) -> None:
    """Derive CO_CLICKED, items that share queries and sessions, from the clicks in the graph.

    Run it again after new clicks: the edges are computed anew and take the place of the earlier ones.
    """
    from dataclasses import asdict

    from recsys.cli.clients import open_graph
    from recsys.ingest.relations import derive_co_clicked

    chosen = settings()
    with open_graph(chosen) as graph:
        derived = derive_co_clicked(graph, chosen.ingest.chunk_rows, note)
    if as_json:
        print_json(asdict(derived))
        return
    print_line(f"{derived.relation}: {derived.edges:,} edges from {derived.items:,} items, {derived.removed:,} removed")
    print_line(f"took {derived.seconds:.1f} s")


def _sources(
    paths: Sequence[str],
    kind: Kind,
    named: Mapping[str, str | None],
    layout: Layout,
    hadoop: Hadoop | None,
    relation: str | None = None,
) -> list[Source]:
    from recsys.ingest.files import find_files
    from recsys.ingest.read import map_columns

    sources = map_columns(find_files(paths, layout, hadoop), kind, named, relation)
    for line in dict.fromkeys(
        ", ".join(f"{ours} ← {theirs}" for ours, theirs in source.columns.items()) for source in sources
    ):
        note(f"{kind.name}: {line}")
    return sources


def _run(
    load: Callable[[Job], Summary], chosen: Settings, *, dry_run: bool, as_json: bool, bulk: bool | None = False
) -> None:
    from recsys.graph.batches import report

    with open_job(chosen, dry_run=dry_run, bulk=bulk) as job:
        summary = load(job)
        if as_json:
            print_json(summary.as_json())
        else:
            for line in summary.lines():
                print_line(line)
        if job.graph is not None and summary.unreported:
            report(job.graph, summary.unreported)
