"""``recsys ingest clicks`` by size and by path, as whole commands: seconds, clicks per second and peak memory.

Memory is the proportional set size of the command, Spark, its Python workers and the managed Neo4j, added up.

Usage: python benchmarks/ingest.py [CLICKS]
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import connector
from commands import GIB, Watch, recsys

CLICKS = 10_000_000


@dataclass(frozen=True)
class Measured:
    """One run of a command.

    Attributes:
        name: What was run.
        clicks: Rows of its input.
        seconds: Of the whole command, starts of Spark and Neo4j included.
        working: Of reading and writing alone.
        peak: Most memory of all processes at one moment, bytes.
        neo4j: Neo4j's share of it.
    """

    name: str
    clicks: int
    seconds: float
    working: float
    peak: int
    neo4j: int

    def line(self) -> str:
        """Return the figures as a row of the table."""
        rate = self.clicks / self.working
        memory = f"{self.peak / GIB:5.2f} GiB, Neo4j {self.neo4j / GIB:5.2f}"
        return (
            f"{self.name:24} {self.clicks:>11,} {self.seconds:8.1f} s {self.working:8.1f} s {rate:>10,.0f}/s  {memory}"
        )


def ingest(name: str, clicks: int, folder: Path, log: Path, *flags: str) -> Measured:
    """Run ``recsys ingest clicks`` and measure it."""
    began = time.perf_counter()
    command = recsys(folder, "ingest", "clicks", log, "--session-window", "0", "--json", *flags)
    watch = Watch(command.pid, folder)
    watch.start()
    output, _ = command.communicate()
    seconds = time.perf_counter() - began
    watch.end()
    if command.returncode:
        raise RuntimeError(f"{name} ended with {command.returncode}: {(folder / 'stderr.log').read_text()[-2000:]}")
    measured = Measured(name, clicks, seconds, json.loads(output)["seconds"], watch.peak, watch.neo4j)
    print(measured.line(), flush=True)
    return measured


def main() -> None:
    """Print the table and the ratios."""
    clicks = int(sys.argv[1]) if len(sys.argv) > 1 else CLICKS
    print(f"{'':24} {'clicks':>11} {'command':>10} {'working':>10}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        logs = {size: folder / f"sample-{size}" / "clicks.parquet" for size in (clicks // 10, clicks)}
        for size, log in logs.items():
            recsys(folder, "sample", log.parent, "--clicks", str(size), "--seed", "0", "--format", "parquet").wait()
        workspaces = [folder / name for name in ("small", "online", "bulk")]
        for workspace in workspaces:
            workspace.mkdir()
        try:
            small = ingest("online", clicks // 10, workspaces[0], logs[clicks // 10], "--no-bulk")
            online = ingest("online", clicks, workspaces[1], logs[clicks], "--no-bulk")
            again = ingest("online, second run", clicks, workspaces[1], logs[clicks], "--no-bulk")
            bulk = ingest("bulk", clicks, workspaces[2], logs[clicks], "--bulk")
            after_bulk = ingest("bulk, second run", clicks, workspaces[2], logs[clicks])
        finally:
            for workspace in workspaces:
                recsys(workspace, "down").wait()
    growth = (online.peak - online.neo4j) / (small.peak - small.neo4j)
    print(f"bulk against online, whole command        {online.seconds / bulk.seconds:6.2f}x faster")
    print(f"second run against the first, online      {again.seconds / online.seconds:6.2%}")
    print(f"second run against the first, bulk        {after_bulk.seconds / bulk.seconds:6.2%}")
    print(f"cost per click, ten times as many         {online.working / small.working / 10:6.2f}x")
    print(f"memory without Neo4j, ten times as many   {growth:6.2f}x")
    rates = connector.rates(max(clicks // 10, connector.CLICKS // 10))
    for way, rate in rates.items():
        print(f"merging pairs, {way:10} {rate:10,.0f} pairs/s  {rate / rates['connector']:5.2f}x")


if __name__ == "__main__":
    main()
