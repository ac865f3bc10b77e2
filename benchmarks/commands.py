"""Runs ``recsys`` commands and watches the memory of all their processes."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import psutil

GIB = 2**30


class Watch(threading.Thread):
    """Takes the most memory that a command and the Neo4j of its workspace hold."""

    def __init__(self, pid: int, workspace: Path) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._home = str(workspace)
        self._ended = threading.Event()
        self.peak = self.neo4j = 0

    def run(self) -> None:
        """Look twice a second until told to end."""
        while not self._ended.wait(0.5):
            sizes = [(self._is_server(process), _resident(process)) for process in self._processes()]
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

    def _is_server(self, process: psutil.Process) -> bool:
        try:
            return any(self._home in part and "--home-dir" in part for part in process.cmdline())
        except psutil.Error:
            return False


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.Error:
        return 0


def recsys(folder: Path, *arguments: str | Path) -> subprocess.Popen[str]:
    """Start a command in ``folder``, whose workspace it uses; what it says goes to ``stderr.log`` there."""
    code = "import sys; sys.argv[0] = 'recsys'; from recsys.cli.main import main; main()"
    command: Sequence[str | Path] = [sys.executable, "-c", code, *arguments]
    with (folder / "stderr.log").open("a") as log:
        return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True)
