"""Kills an ingest at seeded random moments and compares the whole graph with one that was left alone.

Usage: python -m benchmarks.faults --kills 100 --seed 0
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.faults.bench import Bench
from benchmarks.faults.campaign import campaign, whole
from benchmarks.faults.sample import write_logs
from recsys.graph.server import stop


def main() -> None:
    """Print each round, where the kills fell, and the result; end with code 1 if a graph differed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rows", type=int, default=300, help="rows of the log")
    parser.add_argument("--chunk-rows", type=int, default=20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="recsys-faults-") as name:
        folder = Path(name)
        clicks = write_logs(folder / "logs", given.rows)
        bench = Bench(folder, folder / "server", given.chunk_rows)
        try:
            expected = whole(bench, folder / "logs", clicks)
            print(f"left alone: {expected.commits} commits in {expected.seconds:.1f} s", flush=True)
            report = campaign(bench, folder / "logs", expected, given.kills, given.seed, _say)
        finally:
            bench.close()
            stop(bench.workspace)
    print(f"{report.kills} kills in {report.runs} runs; {report.rounds} graphs compared:")
    for (kind, moment), times in sorted(report.struck.items()):
        print(f"  {kind:9}  {moment:15}  {times}")
    print("every graph is the same, node by node" if not report.wrong else f"{len(report.wrong)} things are wrong")
    sys.exit(bool(report.wrong))


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main()
