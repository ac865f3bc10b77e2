"""``recsys sample``: an invented shop to try everything on, of any size."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Literal

import click

from recsys.cli.options import json_option
from recsys.cli.output import note, print_json, print_line


@click.command()
@click.argument("directory", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--clicks", type=click.IntRange(min=100), default=60_000, show_default=True, help="Size of the click log."
)
@click.option("--seed", type=click.IntRange(min=0), default=42, show_default=True, help="Seed of every random draw.")
@click.option("--format", "file_format", type=click.Choice(["csv", "parquet"]), default="csv", show_default=True)
@json_option
def sample(directory: Path, clicks: int, seed: int, file_format: Literal["csv", "parquet"], as_json: bool) -> None:
    """Write a click log, items and links of an invented shop into DIR.

    The shop has an item for every thirty clicks. The same size, seed and format write the same bytes again. An earlier
    sample in DIR is replaced.
    """
    from recsys.ingest.sample import write_sample

    summary = write_sample(directory, clicks=clicks, seed=seed, format=file_format)
    if as_json:
        print_json({"directory": directory, **asdict(summary)})
        return
    print_line(
        f"{summary.clicks:,} clicks on {summary.items:,} items ({summary.new_items:,} of them new and not clicked yet),"
    )
    print_line(f"{summary.test_clicks:,} held-out clicks and {summary.links:,} links are in {directory}")
    note(f"next: recsys ingest clicks {directory / f'clicks.{file_format}'}   ({directory / 'README.md'} has the rest)")
