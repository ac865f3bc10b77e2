"""``recsys doctor``: is everything there that recsys needs, and what to do where it is not."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

from recsys.cli.options import json_option, settings
from recsys.cli.output import print_json, print_line


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Check everything that recsys needs; ends with code 1 if anything fails."""
    from recsys.cli.checks import run_checks

    checks = run_checks(settings())
    if as_json:
        print_json([asdict(check) for check in checks])
    else:
        for check in checks:
            print_line(
                f"{check.level:<5} {check.name:<8} {check.detail}" + (f" → {check.advice}" if check.advice else "")
            )
    sys.exit(any(check.level == "fail" for check in checks))
