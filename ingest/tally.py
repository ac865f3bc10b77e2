"""Sums up what was read, and stops where too much of it cannot be used."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence

from recsys.core.errors import DataError
from recsys.ingest.files import NoRowsError
from recsys.ingest.read import FileContent
from recsys.ingest.robots import ROBOT_SESSION
from recsys.ingest.summary import Refused, Summary


class TooManyRejectsError(DataError):
    """More rows than allowed cannot be used; nothing was written."""

    def __init__(self, rejected: int, read: int, limit: str, reasons: str) -> None:
        self.rejected = rejected
        self.read = read
        super().__init__(
            f"{rejected:,} of {read:,} rows cannot be used ({reasons}), and --max-rejects {limit} allows no more than "
            f"{allowed_rejects(limit, read):,}; nothing was written; mend the files or the flags, look with --dry-run "
            "--max-rejects 100%, or allow more"
        )


def allowed_rejects(limit: str, read: int) -> int:
    """Return how many of ``read`` rows may be set aside under a limit such as ``1%`` or ``500``."""
    return int(read * float(limit[:-1]) / 100) if limit.endswith("%") else int(limit)


def sum_up(kind: str, found: Sequence[FileContent], *, dry_run: bool, started: float) -> Summary:
    """Return the counts of what the files hold."""
    set_aside: dict[str, Refused] = {}
    for content in found:
        for reason, (rows, example) in content.refused.items():
            before = set_aside.get(reason)
            set_aside[reason] = Refused(
                rows + (before.rows if before else 0),
                before.file if before else content.path,
                before.example if before else example,
            )
    kept = sum(content.kept for content in found)
    skipped = sum((Counter(content.skipped) for content in found), Counter[str]())
    return Summary(
        kind=kind,
        dry_run=dry_run,
        files=len(found),
        read=kept + skipped.total() + sum(refused.rows for refused in set_aside.values()),
        kept=kept,
        set_aside=dict(sorted(set_aside.items())),
        skipped=dict(sorted(skipped.items())),
        seconds=time.monotonic() - started,
    )


def check_rejects(summary: Summary, limit: str) -> None:
    """Stop when more rows cannot be used than ``limit`` allows; robots can be used, and do not count.

    Raises:
        TooManyRejectsError: There are more.
    """
    bad = {reason: refused for reason, refused in summary.set_aside.items() if reason != ROBOT_SESSION}
    rejected = sum(refused.rows for refused in bad.values())
    if rejected > allowed_rejects(limit, summary.read):
        reasons = ", ".join(f"{reason} {refused.rows:,} as in {refused.file}" for reason, refused in bad.items())
        raise TooManyRejectsError(rejected, summary.read, limit, reasons)


def check_kept(summary: Summary, paths: Sequence[str]) -> None:
    """Stop when no row is left.

    Raises:
        NoRowsError: With the reasons.
    """
    if summary.kept:
        return
    aside = {reason: refused.rows for reason, refused in summary.set_aside.items()} | dict(summary.skipped)
    reasons = ", ".join(f"{reason} {rows}" for reason, rows in aside.items())
    what = "set aside or passed over" if summary.skipped else "set aside"
    raise NoRowsError(paths, f"{summary.read} rows read, all {what} ({reasons})" if reasons else "there are no rows")
