"""Runs ``recsys`` commands and watches the memory of all their processes."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

GIB = 2**30


def resident(process: psutil.Process) -> int:
    """Return what a process holds in memory, its share of what several have mapped, in bytes."""
    return int(process.memory_full_info().pss)


def anonymous(process: psutil.Process) -> int:
    """Return what a process holds that is in no file, in bytes: files that are mapped give way to other needs."""
    memory = process.memory_info()
    return int(memory.rss - memory.shared)


class Watch(threading.Thread):
    """Takes the most memory that a command and the Neo4j of its workspace hold.

    Args:
        pid: The command.
        workspace: Its workspace.
        size: Of a process.
    """

    def __init__(self, pid: int, workspace: Path, size: Callable[[psutil.Process], int] = resident) -> None:
        super().__init__(daemon=True)
        self._size = size
        self._pid = pid
        self._home = str(workspace)
        self._ended = threading.Event()
        self.peak = self.neo4j = 0

    def run(self) -> None:
        """Look twice a second until told to end."""
        while not self._ended.wait(0.5):
            sizes = [(self._is_server(process), self._held(process)) for process in self._processes()]
            total = sum(size for _, size in sizes)
            if total > self.peak:
                self.peak, self.neo4j = total, sum(size for server, size in sizes if server)

    def end(self) -> None:
        """Stop looking."""
        self._ended.set()
        self.join()

    def _processes(self) -> set[psutil.Process]:
        try:
            command = psutil.Process(self._pid)
            found = {command, *command.children(recursive=True)}
        except psutil.NoSuchProcess:
            return set()
        return found | {process for process in psutil.process_iter() if self._is_server(process)}

    def _held(self, process: psutil.Process) -> int:
        try:
            return self._size(process)
        except psutil.Error:
            return 0

    def _is_server(self, process: psutil.Process) -> bool:
        try:
            return any(self._home in part and "--home-dir" in part for part in process.cmdline())
        except psutil.Error:
            return False


def recsys(folder: Path, *arguments: str | Path) -> subprocess.Popen[str]:
    """Start a command in ``folder``, whose workspace it uses; what it says goes to ``stderr.log`` there."""
    code = "import sys; sys.argv[0] = 'recsys'; from recsys.cli.main import main; main()"
    command: Sequence[str | Path] = [sys.executable, "-c", code, *arguments]
    with (folder / "stderr.log").open("a") as log:
        return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True)
