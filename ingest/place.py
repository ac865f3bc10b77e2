"""Where the bytes of a file come from: this machine, or a file system that Hadoop reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from urllib.parse import unquote

from recsys.core.errors import UsageError


class SchemeUnknownError(UsageError):
    """A path names a file system that is not read."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(
            f"{path} is on a file system that is not read; give a path or a file:// address, of a mount or a copy"
        )


@dataclass(frozen=True, order=True)
class Place:
    """A file, and where its bytes come from.

    Attributes:
        path: Absolute, in its own file system.
        address: Of a file that only Hadoop reads; empty on this machine.
        open: Opens its bytes, to look into them.
    """

    path: Path
    address: str
    open: Callable[[], IO[bytes]] = field(compare=False)

    @property
    def name(self) -> str:
        """What people know it by."""
        return self.address or str(self.path)


def local_place(path: Path) -> Place:
    """Return where a file of this machine is."""
    return Place(path, "", lambda: path.open("rb"))


def is_remote(path: str) -> bool:
    """Return whether ``path`` is an address of another file system than this machine's."""
    return "://" in path and not path.startswith("file:/") and not Path(path).exists()


def local_path(path: str) -> str:
    """Return the path that ``path``, or the ``file:`` address ``path``, is on this machine.

    Raises:
        SchemeUnknownError: It is the address of something else, and no file of this machine is called so.
    """
    if path.startswith("file:/"):
        host_and_path = path.removeprefix("file:").removeprefix("//")
        return "/" + unquote(host_and_path.partition("/")[2])
    if is_remote(path):
        raise SchemeUnknownError(path)
    return path
