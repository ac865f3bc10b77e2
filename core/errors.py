"""The error tree, sorted by what the user can do about it.

A message says what is wrong, the offending value, what is allowed and the next command to run. Subclasses that hold
data keep it as attributes. Exit codes are the business of ``recsys.cli`` alone.
"""

from __future__ import annotations


class RecsysError(Exception):
    """Base of every error that recsys raises on purpose; never raised itself."""


class UsageError(RecsysError):
    """The command or a setting is wrong: change a flag, an environment variable or ``recsys.toml``."""


class DataError(RecsysError):
    """The input, graph or run cannot be used as it is: mend the data or choose other data."""


class SetupError(RecsysError):
    """Something has to be installed or made room for first: Java, jars, encoder weights, disk."""


class ServiceError(RecsysError):
    """Neo4j, Qdrant or Spark is unreachable, refuses us or is the wrong version: start or repair it, then run again."""


def came_of_interrupt(error: BaseException | None) -> bool:
    """Return whether ``error`` is what a library stumbled over after Ctrl-C had stopped it half-way."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None
