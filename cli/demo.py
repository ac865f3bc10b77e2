"""``recsys demo``: the whole way on an invented shop, by the commands that a user would type."""

from __future__ import annotations

import csv
import os
import shlex
from contextlib import chdir
from itertools import islice
from pathlib import Path

import click

from recsys.cli.options import settings
from recsys.cli.output import note, print_line
from recsys.core.config import FILE_NAME
from recsys.core.errors import UsageError
from recsys.core.files import write_text

SHOP = "shop"
EXAMPLES = 3
"Held-out queries that are answered at the end."


class DemoNotLocalError(UsageError):
    """The settings name a graph or a Qdrant that others may use."""

    def __init__(self, setting: str, value: str) -> None:
        self.setting = setting
        super().__init__(
            f"{setting} is {value}: the demo would mix an invented shop into it; unset it (`recsys config show` says "
            "where it comes from), then `recsys demo`"
        )


@click.command()
@click.argument("directory", metavar="[DIR]", default="recsys-demo", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--clicks", type=click.IntRange(min=100), default=60_000, show_default=True, help="Size of the click log."
)
@click.option("--epochs", type=click.IntRange(min=1), help="Passes over the training queries.")
def demo(directory: Path, clicks: int, epochs: int | None) -> None:
    """Go from an invented click log to recommendations in DIR, a workspace of its own.

    Each step says the command that it stands for. The managed Neo4j keeps running until `recsys down` in DIR.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with chdir(directory):
        if not Path(FILE_NAME).exists():
            write_text(
                Path(FILE_NAME), '# Settings of the demo; `recsys config show` lists all.\nworkspace = ".recsys"\n'
            )
        refuse_shared_services()
        run("sample", SHOP, "--clicks", str(clicks))
        run("ingest", "items", f"{SHOP}/items.csv")
        run("ingest", "clicks", f"{SHOP}/clicks.csv")
        run("ingest", "links", f"{SHOP}/links.csv", "--nodes", f"{SHOP}/nodes.csv")
        run("train", *(["--epochs", str(epochs)] if epochs else []))
        run("publish")
        run("evaluate", "--clicks", f"{SHOP}/clicks.test.csv")
        run("recommend", *held_out_texts(Path(SHOP) / "clicks.test.csv"), "-k", "5")
    print_line()
    print_line(
        f"next: cd {shlex.quote(os.fspath(directory))} && recsys recommend 'any text'   (recsys down stops Neo4j)"
    )


def refuse_shared_services() -> None:
    """Raise :class:`DemoNotLocalError` unless the graph and Qdrant are the workspace's own."""
    chosen = settings()
    for name, value in (("neo4j.uri", chosen.neo4j.uri), ("qdrant.url", chosen.qdrant.url)):
        if value is not None:
            raise DemoNotLocalError(name, value)


def run(*arguments: str) -> None:
    """Say a command, then run it in this process."""
    from recsys.cli.main import app

    note(f"\n$ recsys {shlex.join(arguments)}")
    app.main(list(arguments), prog_name="recsys", standalone_mode=False)


def held_out_texts(path: Path) -> list[str]:
    """Return the first distinct query texts of the held-out log."""
    with path.open(encoding="utf-8", newline="") as file:
        texts = dict.fromkeys(row["query_text"] for row in islice(csv.DictReader(file), 100))
    return list(texts)[:EXAMPLES]
