"""Options of ``recsys ingest`` that say how files and rows are to be read."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import click

from recsys.cli.options import json_option

Command = TypeVar("Command", bound=Callable[..., Any])


def column(name: str, what: str, *, flag: str | None = None) -> Callable[[Command], Command]:
    """Option that names the column of ``name``."""
    flag = flag or "--" + name.replace("_", "-")
    return click.option(flag, name, metavar="COLUMN", help=f"Column with {what}; found by usual names unless set.")


def layout_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options of the files' layout; the command receives ``layout``."""

    @functools.wraps(command)
    def wrapped(
        *args: Any, format_: Any, delimiter: str | None, names: str | None, quotes: bool, **options: Any
    ) -> Any:
        from recsys.ingest.layout import Layout, parse_columns, parse_delimiter

        parsed = parse_delimiter(delimiter) if delimiter is not None else None
        columns = parse_columns(names) if names is not None else ()
        return command(*args, layout=Layout(format_, parsed, columns, quotes), **options)

    for option in (
        click.option(
            "--no-quotes", "quotes", is_flag=True, flag_value=False, default=True, help="CSV: quotes are text."
        ),
        click.option(
            "--columns", "names", metavar="A,B,C", help="CSV without a header: its columns, blank if unneeded."
        ),
        click.option(
            "--delimiter", metavar="CHAR", help="CSV: between fields; a character, \\t, \\x01, tab, pipe, ..."
        ),
        click.option(
            "--format", "format_", type=click.Choice(["csv", "json", "parquet"]), help="Whatever the names say."
        ),
    ):
        wrapped = option(wrapped)
    return wrapped


def rules_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options of how rows are read; the command receives ``events``, ``timestamp_format`` and ``timezone``."""

    @functools.wraps(command)
    def wrapped(*args: Any, events: str | None, timestamp_format: str | None, **options: Any) -> Any:
        from recsys.ingest.rules import parse_events, parse_timestamp_format

        if events is None and options.get("event") is not None:
            raise click.UsageError("--event-column needs --event, such as --event click,purchase=3")
        return command(
            *args,
            events=parse_events(events) if events is not None else {},
            timestamp_format=parse_timestamp_format(timestamp_format) if timestamp_format is not None else None,
            **options,
        )

    for option in (
        click.option(
            "--timezone", metavar="ZONE", help="Zone of times that name none, such as Europe/Berlin; UTC unless set."
        ),
        click.option(
            "--timestamp-format", metavar="PATTERN", help="How times are written, as in strptime: %d/%m/%Y %H:%M."
        ),
        column("event", "the type of event", flag="--event-column"),
        click.option(
            "--event", "events", metavar="A,B=3", help="Events that count, for how many clicks each; others do not."
        ),
    ):
        wrapped = option(wrapped)
    return wrapped


def table_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What every command that reads tables takes: their paths and layout, and how to go about it."""
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
