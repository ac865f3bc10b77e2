"""``recsys ingest rejects``: rows that were set aside, listed by reason and driven in again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from recsys.cli.ingest_job import open_job
from recsys.cli.ingest_options import layout_options, rules_options
from recsys.cli.options import json_option, settings
from recsys.cli.output import print_json, print_line

if TYPE_CHECKING:
    from recsys.ingest.layout import Layout
    from recsys.ingest.rejects import Waiting

_COLUMNS = ("query_text", "query_id", "item_id", "item_title", "session", "timestamp", "count")
_LINK_COLUMNS = ("source", "relation", "target", "node_id", "node_text")
_SHOWN = 100


def _column_options(command: Any) -> Any:
    for name in reversed(_COLUMNS + _LINK_COLUMNS):
        flag = "--" + name.replace("_", "-")
        command = click.option(flag, name, metavar="COLUMN", help="Where it is, if not where it was read from.")(
            command
        )
    return command


@click.command()
@click.option("--retry", metavar="BATCH", help="Drive the rows of this batch in, once, after mending.")
@click.option(
    "--reason", "reasons", metavar="CODE", multiple=True, help="Retry these alone; all but robots unless set."
)
@_column_options
@rules_options
@layout_options
@click.option("--max-rejects", metavar="N|N%", help="Write nothing when more rows still cannot be used.")
@click.option("--master", metavar="URL", help="Spark master; local[*] unless set.")
@json_option
def rejects(
    retry: str | None,
    reasons: tuple[str, ...],
    layout: Layout,
    events: Mapping[str, int],
    timestamp_format: str | None,
    timezone: str | None,
    max_rejects: str | None,
    master: str | None,
    as_json: bool,
    **named: str | None,
) -> None:
    """List rows that were set aside, by batch and reason, or drive a batch in again.

    The rows of a batch lie in its rows.jsonl: mend them there, or say with flags how they should have been read. Rows
    that went in are marked, so that a second retry changes nothing. Do not ingest the mended file as well.
    """
    from recsys.ingest.reject_batch import load_batch
    from recsys.ingest.rejects import FOLDER, list_rejects
    from recsys.ingest.retry import Mended, retry_rejects
    from recsys.ingest.rules import Rules

    chosen = settings(spark={"master": master}, ingest={"timezone": timezone, "max_rejects": max_rejects})
    if retry is None:
        _show(list_rejects(chosen.workspace), as_json=as_json)
        return
    folder = chosen.workspace / FOLDER / retry
    load_batch(folder)
    rules = Rules(events, timestamp_format, ZoneInfo(chosen.ingest.timezone))
    with open_job(chosen) as job:
        summary = retry_rejects(job, folder, Mended(named, layout, rules, timezone is not None, reasons))
    if as_json:
        print_json(summary.as_json() if summary else None)
        return
    for line in summary.lines() if summary else ["no row of this batch waits"]:
        print_line(line)


def _show(found: list[Waiting], *, as_json: bool) -> None:
    if as_json:
        print_json([{**vars(waiting), "folder": str(waiting.folder)} for waiting in found])
        return
    for waiting in found:
        rows = sum(reason["rows"] for reason in waiting.reasons.values())
        print_line(f"{waiting.batch}: {rows:,} rows wait, {waiting.went_in:,} went in by retry; in {waiting.folder}")
        for code, reason in sorted(waiting.reasons.items()):
            example = reason["example"]
            where = f"line {example['line']}" if "line" in example else f"record {example.get('record')}"
            row = example["row"] if isinstance(example["row"], str) else str(example["row"])
            print_line(f"  {code} {reason['rows']:,}, such as {ascii(row)[:_SHOWN]} in {example['file']}, {where}")
    if not found:
        print_line("no rows were set aside")
