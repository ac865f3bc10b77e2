"""``recsys config``: which settings hold, and where each came from."""

from __future__ import annotations

import click

from recsys.cli.options import json_option
from recsys.cli.output import print_json, print_table
from recsys.core.config import load_config


@click.group()
def config() -> None:
    """Show the settings and where they come from."""


@config.command()
@json_option
def show(as_json: bool) -> None:
    """Show every setting, its value and its origin; secrets are masked."""
    rows = [{"setting": name, "value": value, "origin": origin} for name, value, origin in load_config().rows()]
    if as_json:
        print_json(rows)
        return
    print_table(
        [{**row, "value": "unset" if row["value"] is None else str(row["value"])} for row in rows],
        ["setting", "value", "origin"],
    )
