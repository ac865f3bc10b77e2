"""``recsys publish`` killed again and again under the eyes of a reader."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

CAMPAIGN = Path(__file__).parents[2] / "benchmarks" / "publish_kills.py"


def test_a_reader_notices_nothing_of_kills(shop, address: Callable[..., object]):
    """Whatever request the command is killed at, every answer is the whole and exact one of one run."""
    with shop.connect() as client, address(client) as url:
        environment = os.environ | {"RECSYS_QDRANT__URL": url}
        if shop.qdrant.api_key is not None:
            environment["RECSYS_QDRANT__API_KEY"] = shop.qdrant.api_key.get_secret_value()
        command = [sys.executable, str(CAMPAIGN), "--kills", "5", "--seed", "1"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 kills; the reader got" in done.stdout
    assert "no error, no mixture, no part" in done.stdout
