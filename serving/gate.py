"""The gate: what a collection must show before the alias moves to it.

Shape letters: B golden queries.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from qdrant_client import QdrantClient

from recsys.core.golden import CUTOFF, Golden, counted, golden_figures, read_golden
from recsys.core.progress import progress
from recsys.core.run import Table, Vectors
from recsys.serving.contents import Contents
from recsys.serving.exact import best_rows, recall
from recsys.serving.live import LiveAnswers, NotComparable, answers_of_live
from recsys.serving.search import asked_of_many, search
from recsys.serving.upload import ID_PAGE

LEAST_RECALL = 0.99
"Of the exact first ten, what the index must find."

PROBES = 200
"Known queries that the index is tested with where a run has no golden ones."

PAGE = 100
"Queries in one request."

Figures = Mapping[str, float]


@dataclass(frozen=True)
class Check:
    """One question that the gate asks.

    Attributes:
        name: ``ids``: the points are the run's items. ``index``: it finds what exact search finds. ``recorded``: golden
            queries fare as they did when the run was written. ``quality``: not worse than what is live.
        passed: None where it could not be asked.
        says: What was found, in words.
    """

    name: Literal["ids", "index", "recorded", "quality"]
    passed: bool | None
    says: str


@dataclass(frozen=True)
class Verdict:
    """What the gate found.

    Attributes:
        checks: In the order they were made.
        queries: Golden queries.
        figures: ``P@1`` and ``R@10`` of the new collection in percent; empty without golden queries.
        live_figures: Of the live collection for the same queries; empty where they cannot be compared.
        overlap: Share in percent of the first ten results that both have in common, mean over the queries; None where
            they cannot be compared.
    """

    checks: tuple[Check, ...]
    queries: int
    figures: Figures
    live_figures: Figures
    overlap: float | None

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that were not passed."""
        return tuple(check for check in self.checks if check.passed is False)


def judge(
    client: QdrantClient, contents: Contents, live: str | None, tolerance: float, *, uploaded: bool = True
) -> Verdict:
    """Ask everything of the gate; nothing is changed.

    Args:
        client: Qdrant.
        contents: What would go live.
        live: Live collection; None where there is none.
        tolerance: Percentage points that a figure may be lower.
        uploaded: The collection is there and whole. Otherwise the run's vectors are searched here, exactly, and what
            only a collection can show is left out.
    """
    run, table = contents.run, contents.items
    golden = read_golden(run.path)
    probes = _probes(contents.queries) if golden is None else golden.vectors
    depth = CUTOFF if golden is None else golden.depth
    checks: list[Check] = []
    if uploaded:
        found = _search(client, contents.collection, probes, depth, many=contents.scoring.prototypes > 0)
        checks += [_check_ids(client, contents.collection, table), _check_index(found, probes, contents)]
    else:
        rows = best_rows(probes, table.vectors, depth, contents.prototypes)
        found = [[table.ids[row] for row in best] for best in rows]
    if golden is None:
        checks.append(Check("quality", None, "skipped: the run has no golden queries, as none were held out"))
        return Verdict(tuple(checks), 0, {}, {}, None)
    figures = golden_figures(found, golden)
    checks.append(_check_recorded(contents, figures, tolerance))
    compared = answers_of_live(client, run, golden, live)
    if isinstance(compared, NotComparable):
        checks.append(Check("quality", None, f"not compared: {compared.reason}; the figures are {_shown(figures)}"))
        return Verdict(tuple(checks), len(golden), figures, {}, None)
    found_live = _live_results(client, compared, golden)
    live_figures = golden_figures(found_live, golden)
    checks.append(_check_quality(figures, live_figures, tolerance))
    return Verdict(tuple(checks), len(golden), figures, live_figures, _overlap(found, found_live, golden))


def checksum(ids: Sequence[str]) -> str:
    """Return the SHA-256 (hex) over ids in the order of their rows, each followed by a line break."""
    digest = hashlib.sha256()
    for id_ in ids:
        digest.update(id_.encode() + b"\n")
    return digest.hexdigest()


def _probes(queries: Table) -> Vectors:
    vectors = queries.vectors
    able = np.flatnonzero(vectors.any(axis=1))
    return vectors[able[:: max(1, len(able) // PROBES)][:PROBES]]


def _search(client: QdrantClient, collection: str, vectors: Vectors, k: int, *, many: bool) -> list[list[str]]:
    """Return ids, best first; none for a zero vector. ``many``: points have several vectors."""
    found: list[list[str]] = [[] for _ in vectors]
    able = np.flatnonzero(vectors.any(axis=1))
    for start in progress(range(0, len(able), PAGE), f"asking {collection}", unit="page"):
        page = able[start : start + PAGE]
        asked = asked_of_many([*vectors[page]]) if many else [*vectors[page]]
        for position, hits in zip(page, search(client, collection, asked, k), strict=True):
            found[position] = [hit.id for hit in hits]
    return found


def _live_results(client: QdrantClient, live: LiveAnswers, golden: Golden) -> list[list[str]]:
    return _search(client, live.collection, live.vectors, golden.depth, many=live.many)


def _check_ids(client: QdrantClient, collection: str, table: Table) -> Check:
    there: dict[int, str] = {}
    offset = None
    while True:
        points, offset = client.scroll(collection, limit=ID_PAGE, offset=offset, with_payload=["id"])
        there |= {int(point.id): (point.payload or {}).get("id", "") for point in points}
        if offset is None:
            break
    found, wanted = checksum([there[row] for row in sorted(there)]), checksum(table.ids)
    if len(there) != len(table.ids) or found != wanted:
        says = f"{len(there):,} points with ids {found[:12]} instead of {len(table.ids):,} with {wanted[:12]}"
        return Check("ids", False, says)
    return Check("ids", True, f"{len(there):,} points, ids {found[:12]}")


def _check_index(found: Sequence[Sequence[str]], probes: Vectors, contents: Contents) -> Check:
    row_of = {id_: row for row, id_ in enumerate(contents.items.ids)}
    rows = [[row_of[id_] for id_ in ids[:CUTOFF] if id_ in row_of] for ids in found]
    share = recall(rows, probes, contents.items.vectors, CUTOFF, contents.prototypes)
    says = (
        f"finds {100 * share:.2f}% of the exact first {CUTOFF} for {len(probes):,} queries, {LEAST_RECALL:.0%} needed"
    )
    return Check("index", share >= LEAST_RECALL, says)


def _check_recorded(contents: Contents, figures: Figures, tolerance: float) -> Check:
    recorded = {name: contents.run.manifest["golden"][name] for name in figures}
    if contents.instead is not None:
        says = f"not compared: the run did not choose {contents.scoring.prototypes} prototypes; {_shown(figures)}"
        return Check("recorded", None, f"{says}, and {_shown(recorded)} as it chose")
    says = f"{_shown(figures)}, and {_shown(recorded)} when the run was written"
    return Check("recorded", _holds(figures, recorded, tolerance), says)


def _check_quality(figures: Figures, live: Figures, tolerance: float) -> Check:
    says = f"{_shown(figures)}, and {_shown(live)} live; {tolerance:g} points less are tolerated"
    return Check("quality", _holds(figures, live, tolerance), says)


def _holds(figures: Figures, least: Figures, tolerance: float) -> bool:
    return all(figures[name] >= least[name] - tolerance for name in figures)


def _overlap(found: Sequence[Sequence[str]], live: Sequence[Sequence[str]], golden: Golden) -> float:
    shares = []
    for new, old, excluded in zip(found, live, golden.excluded, strict=True):
        ours, theirs = set(counted(new, excluded)), set(counted(old, excluded))
        longest = max(len(ours), len(theirs))
        shares.append(len(ours & theirs) / longest if longest else 1.0)
    return 100 * float(np.mean(shares))


def _shown(figures: Figures) -> str:
    return ", ".join(f"{name} {value:.1f}%" for name, value in figures.items())
