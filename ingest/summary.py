"""What an ingest did, as text for people and as JSON for programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_SHOWN = 70


@dataclass(frozen=True)
class Refused:
    """Rows set aside for one reason.

    Attributes:
        rows: How many.
        file: Where the first of them is.
        example: The start of one of them, as JSON text.
    """

    rows: int
    file: str
    example: str


@dataclass
class Summary:
    """Counts of one ingest.

    Attributes:
        kind: clicks, items or links.
        dry_run: Nothing was written.
        files: Files read.
        read: Rows read, good or not.
        kept: Good rows.
        set_aside: Reason code to the rows refused for it.
        skipped: Reason code to rows that are fine but not asked for, such as events of another type.
        seconds: Of reading and writing, without the start of Spark and Neo4j.
        files_new: Files written now.
        files_in_already: Files whose rows were in.
        files_repeated: Files with the same rows as another file of the call.
        distinct: Distinct things in the rows that are new: queries, items, pairs, link_ends, links, titles.
        created: ``nodes_created`` and ``relationships_created``.
        adopted: Links that new queries and items took over, part of the relationships created.
        rejects: Folder of the rows set aside.
        unreported: Batches that ``--again`` finished and that are to be marked as reported once this was printed.
        nodes: Counts of the table of anchor texts, where one was given.
        to_do: What is left for people to do, a line each, where the graph is not ours to load in bulk.
    """

    kind: str
    dry_run: bool
    files: int
    read: int
    kept: int
    set_aside: Mapping[str, Refused]
    seconds: float
    skipped: Mapping[str, int] = field(default_factory=dict)
    files_new: int = 0
    files_in_already: int = 0
    files_repeated: int = 0
    distinct: dict[str, int] = field(default_factory=dict)
    created: Counter[str] = field(default_factory=Counter)
    adopted: int = 0
    rejects: Path | None = None
    unreported: Sequence[str] = ()
    nodes: Summary | None = None
    to_do: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return every count under its name; ``rows_per_second`` is of rows read."""
        return {
            "kind": self.kind,
            "dry_run": self.dry_run,
            "files": self.files,
            "files_new": self.files_new,
            "files_in_already": self.files_in_already,
            "files_repeated": self.files_repeated,
            "read": self.read,
            "kept": self.kept,
            "set_aside": {
                reason: {"rows": refused.rows, "file": refused.file, "example": refused.example}
                for reason, refused in self.set_aside.items()
            },
            "skipped": dict(self.skipped),
            "rejects": str(self.rejects) if self.rejects else None,
            "distinct": self.distinct,
            "nodes_created": self.created["nodes_created"],
            "relationships_created": self.created["relationships_created"],
            "adopted": self.adopted,
            "seconds": round(self.seconds, 2),
            "rows_per_second": self._rate(),
            "nodes": self.nodes.as_json() if self.nodes else None,
            "to_do": list(self.to_do),
        }

    def lines(self) -> Iterator[str]:
        """Yield the summary as text, a fact a line."""
        yield from self._rows()
        if self.nodes:
            yield from self.nodes._rows()
        yield (
            f"files: {self.files_new:,} new, {self.files_in_already:,} already in, "
            f"{self.files_repeated:,} with the same rows as another"
        )
        if self.distinct:
            yield "distinct: " + ", ".join(f"{n:,} {name.replace('_', ' ')}" for name, n in self.distinct.items())
        if self.dry_run:
            yield "dry run: nothing was written"
        else:
            nodes, relationships = self.created["nodes_created"], self.created["relationships_created"]
            adopted = f" ({self.adopted:,} of them for new nodes from earlier links)" if self.adopted else ""
            yield f"created: {nodes:,} nodes, {relationships:,} relationships{adopted}"
        yield f"took {self.seconds:.1f} s, {self._rate():,} rows/s"
        yield from self.to_do

    def _rows(self) -> Iterator[str]:
        aside = sum(refused.rows for refused in self.set_aside.values())
        passed = "".join(f", {rows:,} {reason} passed over" for reason, rows in self.skipped.items())
        yield f"{self.kind}: {self.read:,} rows read, {self.kept:,} kept{passed}, {aside:,} set aside"
        for reason, refused in self.set_aside.items():
            yield f"  {reason} {refused.rows:,}, such as {_short(refused.example)} in {refused.file}"
        if self.rejects:
            yield f"  set aside in {self.rejects}; see `recsys ingest rejects`"

    def _rate(self) -> int:
        return round(self.read / self.seconds) if self.seconds else 0


def _short(example: str) -> str:
    try:
        shown = json.dumps(json.loads(example))
    except ValueError:
        shown = example
    return shown if len(shown) <= _SHOWN else shown[:_SHOWN] + " …"
