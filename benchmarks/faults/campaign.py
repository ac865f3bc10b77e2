"""Strikes at seeded random moments until there were enough, and compares the graph after every round."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.faults.bench import CLUSTER, Bench, Fault, Kind, Outcome
from benchmarks.faults.dump import Dump, differences, dump
from benchmarks.faults.proxy import Where
from benchmarks.faults.sample import Pairs, clicked, reset

SHARES: dict[Kind, float] = {
    "driver": 0.3,
    "interrupt": 0.12,
    "worker": 0.15,
    "executor": 0.06,
    "neo4j": 0.12,
    "cut": 0.25,
}
"How often each kind is drawn; an executor costs most time."
BY_TIME = 0.3
"Share of faults that strike at a time, and not at a commit; the times reach over reading and writing."
OPENING = 4
"Commits of a command before it writes: version, constraints, counters."
PER_RUN = (5, 4, 3, 0)
"Faults for the first run of a round, the second and so on."


@dataclass
class Report:
    """What a campaign came to.

    Attributes:
        struck: (kind, moment) to how often.
        runs: Commands run.
        rounds: Graphs compared.
        wrong: What differed, or what a command should not have written.
        seconds: Of all commands.
    """

    struck: Counter[tuple[str, str]] = field(default_factory=Counter)
    runs: int = 0
    rounds: int = 0
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def kills(self) -> int:
        """Faults that struck."""
        return self.struck.total()


@dataclass(frozen=True)
class Whole:
    """What an ingest that was left alone leaves, to compare with."""

    graph: Dump
    clicks: Pairs
    commits: int
    seconds: float


def whole(bench: Bench, logs: Path, clicks: Pairs) -> Whole:
    """Ingest ``logs`` without a fault, and check its counts against ``clicks``."""
    reset(bench.graph)
    outcome = bench.run(["ingest", "clicks", str(logs)])
    assert outcome.code == 0, outcome.err
    assert clicked(bench.graph) == clicks
    bench.patience = max(bench.patience, 10 * outcome.seconds)
    return Whole(dump(bench.graph), clicks, outcome.commits, outcome.seconds)


def draw(rng: np.random.Generator, commits: int, seconds: float) -> Fault:
    """Draw a fault among the first ``commits`` or ``seconds``."""
    kind: Kind = rng.choice(list(SHARES), p=list(SHARES.values()))
    if kind == "cut":
        cuts: tuple[Where, ...] = ("lost", "blind")
        return Fault(kind, int(rng.integers(1, commits + 1)), cuts[int(rng.random() < 0.3)])
    if rng.random() < BY_TIME:
        return Fault(kind, None, seconds=float(rng.uniform(0.1, 1)) * seconds)
    sides: tuple[Where, ...] = ("before", "after")
    return Fault(kind, int(rng.integers(1, commits + 1)), sides[int(rng.random() < 0.5)])


def play(bench: Bench, logs: Path, expected: Whole, rng: np.random.Generator, report: Report) -> None:
    """Play one round: strike, run the same command again, strike again, until it comes through, and compare."""
    reset(bench.graph)
    for number, most in enumerate((*PER_RUN, 0, 0, 0)):
        commits = max(expected.commits // (number + 1), 4)
        faults = [draw(rng, commits, expected.seconds) for _ in range(most)]
        master = CLUSTER if any(fault.kind == "executor" for fault in faults) else "local[2]"
        outcome = bench.run(["ingest", "clicks", str(logs)], faults, master)
        _count(outcome, report)
        if outcome.code == 0:
            break
    else:
        report.wrong.append(f"the command does not come through: {outcome.err[-500:]}")
    report.rounds += 1
    report.wrong += differences(expected.graph, dump(bench.graph))
    if clicked(bench.graph) != expected.clicks:
        report.wrong.append("clicks are not those of the log")


def _count(outcome: Outcome, report: Report) -> None:
    report.runs += 1
    report.seconds += outcome.seconds
    for fault, commits in outcome.struck:
        moment = "reading" if commits <= OPENING else "writing" if fault.commit is None else f"{fault.where} a commit"
        report.struck[fault.kind, moment] += 1
    if "Traceback" in outcome.err and outcome.code != -9:
        report.wrong.append(f"a traceback: {outcome.err[-1500:]}")
    if outcome.code not in (0, 1, -9):
        report.wrong.append(f"exit code {outcome.code}: {outcome.err[-500:]}")


def campaign(bench: Bench, logs: Path, expected: Whole, kills: int, seed: int, say: Callable[[str], None]) -> Report:
    """Play rounds until ``kills`` faults struck."""
    report = Report()
    rng = np.random.default_rng(seed)
    while report.kills < kills:
        before, struck = len(report.wrong), report.struck.copy()
        play(bench, logs, expected, rng, report)
        verdict = "something is wrong" if len(report.wrong) > before else "the graph is the same"
        say(f"round {report.rounds}: {report.kills} kills in {report.runs} runs, {report.seconds:.0f} s; {verdict}")
        for (kind, moment), times in sorted((report.struck - struck).items()):
            say(f"  {kind} {moment}{f', {times} times' * (times > 1)}")
        for line in report.wrong[before:]:
            say(f"  {line}")
    return report
