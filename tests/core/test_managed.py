"""The end of a managed server's process."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from recsys.core.managed import end


@contextmanager
def process(at_terminate: str) -> Iterator[psutil.Process]:
    """Run a process that handles the signal to end in this way."""
    code = f"import signal; signal.signal(signal.SIGTERM, signal.{at_terminate}); print(flush=True); signal.pause()"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        try:
            yield psutil.Process(child.pid)
        finally:
            child.kill()


def test_a_process_that_ends_when_told_is_left_to_it(caplog: pytest.LogCaptureFixture) -> None:
    """It ends by the signal that lets it write everything out, and nothing is said."""
    with process("SIG_DFL") as child:
        end(child, 60)
        assert child.wait() in (-signal.SIGTERM, None)
    assert not caplog.records


def test_a_process_that_does_not_listen_is_killed_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    """After the patience it is gone all the same, and the log says so."""
    with process("SIG_IGN") as child, caplog.at_level(logging.WARNING):
        end(child, 0.05)
        assert not psutil.pid_exists(child.pid)
    assert f"pid {child.pid}" in caplog.text
