"""``recsys ingest``: click logs, item tables and link tables into the graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, TypeVar

import click

from recsys.cli.options import json_option, settings
from recsys.cli.output import note, print_json, print_line

if TYPE_CHECKING:
    from recsys.ingest.clean import Kind
    from recsys.ingest.job import Job
    from recsys.ingest.read import Source
    from recsys.ingest.summary import Summary

Command = TypeVar("Command", bound=Callable[..., Any])


@click.group()
def ingest() -> None:
    """Bring clicks, items or links into the graph.

    PATHS are files, folders or quoted globs of CSV, JSON Lines and Parquet, compressed ones too. Rows that cannot be
    used are set aside with the reason; the same rows are never added twice, so a command may always be run again.
    """


def _shared(command: Command) -> Command:
    for option in (
        json_option,
        click.option("--master", metavar="URL", help="Spark master; local[*] unless set."),
        click.option("--dry-run", is_flag=True, help="Read and check everything, write nothing."),
        click.argument("paths", nargs=-1, required=True),
    ):
        command = option(command)
    return command


def _column(name: str, what: str) -> Callable[[Command], Command]:
    flag = "--" + name.replace("_", "-")
    return click.option(flag, name, metavar="COLUMN", help=f"Column with {what}; found by usual names unless set.")


@ingest.command()
@_column("query_text", "the query's text")
@_column("query_id", "the query's id; made from the text unless there")
@_column("item_id", "the clicked item's id")
@_column("item_title", "the item's title")
@_column("session", "the session's id")
@_column("timestamp", "the time, ISO 8601 or Unix")
@_column("count", "the number of clicks a row stands for; 1 unless there")
@click.option(
    "--session-window", type=float, metavar="MINUTES", help="Join queries of a session this close; 0 joins none."
)
@_shared
def clicks(
    paths: tuple[str, ...],
    session_window: float | None,
    dry_run: bool,
    master: str | None,
    as_json: bool,
    **named: str | None,
) -> None:
    """Add the click logs at PATHS to the graph."""
    from recsys.ingest.clean import CLICKS
    from recsys.ingest.clicks import load_clicks

    sources = _sources(paths, CLICKS, named)
    window = {"session_window": session_window}
    _run(lambda job: load_clicks(job, sources), dry_run=dry_run, master=master, as_json=as_json, ingest=window)


@ingest.command()
@_column("item_id", "the item's id")
@_column("item_title", "the item's title")
@_shared
def items(paths: tuple[str, ...], dry_run: bool, master: str | None, as_json: bool, **named: str | None) -> None:
    """Add the items at PATHS to the graph; every further column becomes a property."""
    from recsys.ingest.clean import ITEMS
    from recsys.ingest.items import load_items

    sources = _sources(paths, ITEMS, named)
    _run(lambda job: load_items(job, sources), dry_run=dry_run, master=master, as_json=as_json)


@ingest.command()
@_column("source", "the id of a query, an item or another node")
@_column("relation", "the relation's name")
@_column("target", "the id of the node that it leads to")
@click.option("--relation-name", metavar="NAME", help="The relation of all rows, for files without such a column.")
@click.option("--nodes", metavar="PATH", multiple=True, help="Table with node_id and title: texts of the nodes.")
@_shared
def links(
    paths: tuple[str, ...],
    nodes: tuple[str, ...],
    relation_name: str | None,
    dry_run: bool,
    master: str | None,
    as_json: bool,
    **named: str | None,
) -> None:
    """Add the links at PATHS to the graph, from queries and items to categories, tags, pages and the like."""
    from recsys.ingest.clean import LINKS, NODES
    from recsys.ingest.links import load_links

    sources = _sources(paths, LINKS, named, relation_name)
    texts = _sources(nodes, NODES, {}) if nodes else []
    _run(lambda job: load_links(job, sources, texts), dry_run=dry_run, master=master, as_json=as_json)


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
    paths: Sequence[str], kind: Kind, named: Mapping[str, str | None], relation: str | None = None
) -> list[Source]:
    from recsys.ingest.files import find_files
    from recsys.ingest.read import map_columns

    sources = map_columns(find_files(paths), kind, named, relation)
    for line in dict.fromkeys(
        ", ".join(f"{ours} ← {theirs}" for ours, theirs in source.columns.items()) for source in sources
    ):
        note(f"{kind.name}: {line}")
    return sources


def _run(
    load: Callable[[Job], Summary],
    *,
    dry_run: bool,
    master: str | None,
    as_json: bool,
    ingest: Mapping[str, Any] | None = None,
) -> None:
    from recsys.cli.clients import open_graph
    from recsys.graph.schema import ensure_schema
    from recsys.ingest.job import Job
    from recsys.ingest.spark import spark_session

    chosen = settings(spark={"master": master}, ingest=ingest or {})
    with ExitStack() as stack:
        graph = None if dry_run else stack.enter_context(open_graph(chosen))
        if graph is not None:
            ensure_schema(graph)
        note("starting Spark")
        spark = stack.enter_context(spark_session(chosen.spark, chosen.workspace))
        window_ms = round(chosen.ingest.session_window * 60_000)
        summary = load(Job(spark, graph, chosen.workspace, chosen.ingest.chunk_rows, note, window_ms))
    if as_json:
        print_json(summary.as_json())
        return
    for line in summary.lines():
        print_line(line)
