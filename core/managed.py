"""The directory of a server that the workspace manages: what every such server keeps, whatever it serves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from recsys.core.errors import SetupError


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
