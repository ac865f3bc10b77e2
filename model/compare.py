"""Trains and measures systems side by side on one graph and one test log, and says whether the graph paid.

Shape letters: B queries with gold, K ranks.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import numpy as np

from recsys.core.files import write_json
from recsys.model.arena import Arena, Cost, measured
from recsys.model.marks import in_slices
from recsys.model.metrics import Floats, Rows, propensities, query_figures
from recsys.model.search import ONE_SEARCH, WITH_VOTES
from recsys.model.systems import ExtraMissingError, System
from recsys.model.validation import digest

FIGURES = ("P@1", "P@5", "nDCG@5", "PSP@5", "R@10", "R@100")
SLICE_FIGURE = "R@10"


@dataclass(frozen=True)
class Ranked:
    """One ranking of the test queries.

    Attributes:
        ranked_BK: Item rows, best first.
        learnt: Cost of training.
        query_ms: Milliseconds per query of ranking all of them, the encoder included, compared with every item.
    """

    ranked_BK: Rows
    learnt: Cost
    query_ms: float


@dataclass(frozen=True)
class Row:
    """A system's result: means over seeds.

    Attributes:
        name: Of the system; with ``+ votes`` for its second ranking.
        says: What it is.
        values: Figure to a value per query, in [0, 1] but for PSP.
        slices: Slice to :data:`SLICE_FIGURE` per query that has gold there.
        by_seed: Figure to its mean for each seed, in percent.
        seconds: Of training.
        peak: Resident memory while training, bytes.
        query_ms: Milliseconds per query.
    """

    name: str
    says: str
    values: Mapping[str, Floats]
    slices: Mapping[str, Floats]
    by_seed: Mapping[str, Sequence[float]]
    seconds: float
    peak: int
    query_ms: float

    @property
    def figures(self) -> dict[str, float]:
        """Means in percent."""
        return {name: 100 * float(values.mean()) for name, values in self.values.items()}


@dataclass(frozen=True)
class Comparison:
    """All results.

    Attributes:
        rows: In the order of the systems.
        left_out: System to the reason why it took no part.
        queries: Test queries.
        seeds: Seeds of the systems that have any.
    """

    rows: Sequence[Row]
    queries: int
    seeds: Sequence[int]
    left_out: Mapping[str, str] = field(default_factory=dict)

    def row(self, name: str) -> Row | None:
        """Return the row of that name, if it took part."""
        return next((row for row in self.rows if row.name == name), None)


def check_extras(systems: Sequence[System]) -> None:
    """Refuse before anything is trained.

    Raises:
        ExtraMissingError: A system needs a package that is not installed.
    """
    for system in systems:
        if system.package and importlib.util.find_spec(system.package) is None:
            raise ExtraMissingError(system.name, system.package)


def compare(arena: Arena, systems: Sequence[System], seeds: Sequence[int], workspace: Path) -> Comparison:
    """Let every system learn and rank; what an interrupted comparison has finished is not done again.

    Args:
        arena: What they compete on.
        systems: Who competes.
        seeds: Each seeded system runs once per seed.
        workspace: Its ``compare`` folder keeps what is finished.
    """
    folder = workspace / "compare" / _key(arena)
    left_out = {system.name: reason for system in systems if (reason := system.applies(arena))}
    rows: list[Row] = []
    for system in systems:
        if system.name in left_out:
            continue
        runs = [_run(arena, system, seed, folder) for seed in (seeds if system.seeded else seeds[:1])]
        for kind in runs[0]:
            name = system.name + (" + votes" if kind == WITH_VOTES else "")
            # A seed may have chosen to do without votes; its one search is then what it answers with.
            rows.append(_row(arena, name, system.says, [run.get(kind, run[ONE_SEARCH]) for run in runs]))
    return Comparison(rows, len(arena.task.texts), seeds, left_out)


def _key(arena: Arena) -> str:
    task = arena.task
    what = {
        "version": version("recsys"),
        "settings": arena.settings.model_dump(mode="json", exclude={"seed"}),
        "snapshot": arena.data.snapshot.as_json(),
        "texts": list(task.texts),
        "gold": task.gold.indices.tolist(),
        "filter": digest(arena.filtered),
        "validation": digest(arena.validation or ()),
    }
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:16]


def _run(arena: Arena, system: System, seed: int, folder: Path) -> dict[str, Ranked]:
    path = folder / f"{system.name}-{seed}"
    if not (path / "cost.json").is_file():
        path.mkdir(parents=True, exist_ok=True)
        rank, learnt = measured(lambda: system.learn(arena, seed, path / "runs"))
        rankings, asked = measured(rank)
        for kind, ranked_BK in rankings.items():
            np.save(path / f"{kind}.npy", ranked_BK)
        query_ms = 1000 * asked.seconds / len(arena.task.texts)
        write_json(path / "cost.json", {"seconds": learnt.seconds, "peak": learnt.peak, "query_ms": query_ms})
    cost = json.loads((path / "cost.json").read_text("utf-8"))
    learnt = Cost(cost["seconds"], cost["peak"])
    return {file.stem: Ranked(np.load(file), learnt, cost["query_ms"]) for file in sorted(path.glob("*.npy"))[::-1]}


def _row(arena: Arena, name: str, says: str, runs: Sequence[Ranked]) -> Row:
    degree = np.concatenate([arena.degree_I, np.zeros(arena.task.unknown_items, np.int64)])
    propensity = propensities(degree, len(np.unique(arena.data.clicks.query)))
    gold = arena.task.gold
    by_seed = [
        {name: v for name, v in query_figures(r.ranked_BK, gold, propensity_L=propensity).items() if name in FIGURES}
        for r in runs
    ]
    slices = {}
    for slice_, inside_G in in_slices(degree[gold.indices]).items():
        inside = gold.restrict(inside_G)
        values = [query_figures(r.ranked_BK, inside, ks=())[SLICE_FIGURE] for r in runs]
        slices[slice_] = np.mean(values, axis=0)
    return Row(
        name,
        says,
        {figure: np.mean([seed[figure] for seed in by_seed], axis=0) for figure in FIGURES},
        slices,
        {figure: [100 * float(seed[figure].mean()) for seed in by_seed] for figure in FIGURES},
        float(np.mean([r.learnt.seconds for r in runs])),
        max(r.learnt.peak for r in runs),
        float(np.mean([r.query_ms for r in runs])),
    )
