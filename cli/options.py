"""Options and set-up that several commands share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from recsys.core.config import load_config
from recsys.core.settings import Settings
from recsys.serving.server_home import with_managed_qdrant

json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")


def settings(**flags: Mapping[str, Any]) -> Settings:
    """Return the settings with the command's flags on top; a flag that is None was not given.

    Where no ``qdrant.url`` is set and ``recsys up --qdrant`` made a server, its address and key are filled in.
    """
    return with_managed_qdrant(load_config(flags).settings)
