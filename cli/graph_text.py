"""Figures and neighbourhoods of the graph as text for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from recsys.core.columns import FIRST_SEEN, LAST_SEEN
from recsys.core.times import moment
from recsys.graph.stats import HEAD_PERCENT, TAIL_CLICKS

if TYPE_CHECKING:
    from recsys.graph.neighbourhood import Branch, Neighbour, Neighbourhood
    from recsys.graph.stats import GraphStats, LabelStats

_PLURALS = {"Query": "queries", "Item": "items", "Anchor": "anchors"}


def stats_fields(stats: GraphStats) -> dict[str, str]:
    """Return name to phrase."""
    clicks, ledger = stats.clicks, stats.ledger
    fields = {_PLURALS[label]: _label(found) for label, found in stats.labels.items()}
    times = "no times"
    if clicks.earliest is not None and clicks.latest is not None:
        times = f"{_time(clicks.earliest)} to {_time(clicks.latest)}"
    kinds = sorted({*ledger.complete, *ledger.incomplete})
    batches = [
        f"{ledger.complete.get(kind, 0):,} of {kind}"
        + (f" and {ledger.incomplete[kind]:,} unfinished" if kind in ledger.incomplete else "")
        for kind in kinds
    ]
    return {
        **fields,
        "clicked pairs": f"{clicks.pairs:,}",
        "clicks": f"{clicks.clicks:,}",
        "last click of a pair": times,
        "items never clicked": f"{clicks.items_without:,}",
        f"items under {TAIL_CLICKS} clicks": f"{clicks.items_few:,}",
        f"clicks on top {HEAD_PERCENT} % of items": f"{clicks.head_share:.1f} %",
        "batches": ", ".join(batches) or "none",
        "chunks": f"{ledger.chunks:,}",
    }


def _label(found: LabelStats) -> str:
    rows = "" if found.rows == found.nodes else f", but {found.rows:,} rows: see `recsys graph check`"
    return f"{found.nodes:,}, {found.without_text:,} without text{rows}"


def _time(milliseconds: int) -> str:
    return moment(milliseconds).strftime("%Y-%m-%d %H:%M:%S UTC")


def tree_lines(hood: Neighbourhood) -> Iterator[str]:
    """Yield the neighbourhood as a small tree."""
    clicks = f"  {_clicks(hood.clicks)}" if hood.clicks else ""
    yield f"{hood.label} {hood.id}{_text(hood.text)}{clicks}{_seen(hood.properties)}"
    for number, branch in enumerate(hood.branches, 1):
        last = number == len(hood.branches)
        yield f"{'└─' if last else '├─'} {_title(branch)}"
        leaves = [_leaf(neighbour) for neighbour in branch.first]
        if branch.edges > len(leaves):
            leaves.append(f"… {branch.edges - len(leaves):,} more")
        for leaf in leaves[:-1]:
            yield f"{' ' if last else '│'}  ├─ {leaf}"
        yield f"{' ' if last else '│'}  └─ {leaves[-1]}"


def _seen(properties: Mapping[str, Any]) -> str:
    if FIRST_SEEN not in properties:
        return ""
    first, last = (moment(properties[name]).date().isoformat() for name in (FIRST_SEEN, LAST_SEEN))
    return f", first seen {first}, last seen {last}"


def _title(branch: Branch) -> str:
    arrow = "→" if branch.direction == "out" else "←"
    label = branch.label.lower() if branch.edges == 1 else _PLURALS[branch.label]
    return f"{arrow} {branch.relation}: {branch.edges:,} {label}"


def _leaf(neighbour: Neighbour) -> str:
    return f"{neighbour.id}{_text(neighbour.text)}{_strength(neighbour.properties)}"


def _strength(properties: Mapping[str, Any]) -> str:
    if "clicks" in properties:
        return f"  {_clicks(properties['clicks'])}"
    for name in ("session", "visit"):
        if f"{name}s" in properties:
            number = properties[f"{name}s"]
            return f"  {number:,} {name}{'s' * (number != 1)}"
    return f"  {properties['weight']:.2f}" if "weight" in properties else ""


def _text(text: str | None) -> str:
    return f"  {' '.join(text.split())}" if text else ""


def _clicks(clicks: int) -> str:
    return f"{clicks:,} click{'s' * (clicks != 1)}"
