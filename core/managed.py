"""The directory of a server that the workspace manages: what every such server keeps, whatever it serves."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import psutil

from recsys.core.errors import SetupError

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ManagedHome:
    """A directory of the workspace, readable by its owner alone."""

    path: Path

    @property
    def log_path(self) -> Path:
        """What every server started here has printed."""
        return self.path / "server.log"

    @property
    def lock_path(self) -> Path:
        """Held while a server is started or stopped."""
        return self.path / "lock"

    def prepare(self) -> None:
        """Make the directory.

        Raises:
            SetupError: The workspace cannot be written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self.path.chmod(0o700)
        except OSError as error:
            raise SetupError(
                f"cannot write {self.path} ({error}); set workspace to a directory of yours (RECSYS_WORKSPACE)"
            ) from error


def end(process: psutil.Process, patience: float) -> None:
    """End a managed server cleanly; it is killed, with a warning in the log, where that takes too long.

    A kill loses nothing that the server has answered for: its next start reads its log of writes.

    Args:
        process: Of the server.
        patience: Seconds that writing everything out may take.
    """
    process.terminate()
    try:
        process.wait(patience)
    except psutil.TimeoutExpired:
        _logger.warning(
            "a managed server (%s, pid %d) did not stop within %.0f s and is killed; its next start recovers its data",
            process.name(),
            process.pid,
            patience,
        )
        process.kill()
        process.wait()
