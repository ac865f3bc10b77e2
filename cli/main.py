"""Entry point: commands are registered by name and imported when used; errors become exit codes here alone."""

from __future__ import annotations

import importlib
import sys
from io import TextIOWrapper

import click

from recsys.cli.output import note
from recsys.core.errors import RecsysError, UsageError

USAGE_EXIT = 2
FAILURE_EXIT = 1

COMMANDS = {
    "up": "Start the managed Neo4j, and a Qdrant with --qdrant.",
    "down": "Stop the managed servers.",
    "status": "Say what is running and what the graph holds.",
    "doctor": "Check everything that recsys needs, with what to do.",
    "sample": "Write a click log, items and links of an invented shop.",
    "ingest": "Bring clicks, items or links into the graph.",
    "graph": "Look at the graph and check it.",
    "train": "Train an encoder on the graph and write a run directory.",
    "embed": "Make a run's vectors again from the present graph.",
    "export": "Write the encoder for programs in other languages.",
    "publish": "Push item vectors to Qdrant and switch the alias to them.",
    "collections": "List what is published, and which is live.",
    "rollback": "Point the alias back at the collection before.",
    "recommend": "Recommend items for texts, a known query or an item.",
    "explain": "Say why an item is recommended for a query.",
    "serve": "Answer by HTTP, with a page to try it on.",
    "evaluate": "Measure a run on held-out clicks, beside baselines.",
    "compare": "Train and measure systems side by side.",
    "demo": "Go the whole way on an invented shop.",
    "config": "Show the settings and where they come from.",
}
"Name to one-line help, in the order of ``recsys --help``; each is ``recsys.cli.<name>:<name>``."


class LazyGroup(click.Group):
    """Imports a command only when it is run, so that ``recsys --help`` stays fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"recsys.cli.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="recsys")
def app() -> None:
    """Recommendations from click logs: a graph shapes the encoder while it trains, a vector search serves it."""


def main() -> None:
    """Run the command line and exit: 0 done, 2 wrong usage, 1 data or services."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # results and notes keep their order where both go to one log
    try:
        app(prog_name="recsys")
    except RecsysError as error:
        note(f"Error: {error}")
        sys.exit(USAGE_EXIT if isinstance(error, UsageError) else FAILURE_EXIT)
