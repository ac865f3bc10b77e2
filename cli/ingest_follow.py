"""``recsys ingest clicks DIR --follow``: says what arrives, and stops when it is asked to."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recsys.cli.ingest_job import open_job
from recsys.cli.output import note, print_line
from recsys.core.errors import UsageError

if TYPE_CHECKING:
    from recsys.core.settings import Settings
    from recsys.ingest.follow import Step
    from recsys.ingest.layout import Layout
    from recsys.ingest.rules import Rules


class FollowedFolderError(UsageError):
    """What is to be followed is not one folder."""

    def __init__(self, paths: Sequence[str]) -> None:
        self.paths = tuple(paths)
        super().__init__(
            f"--follow takes one folder of this machine, not {', '.join(paths)}; make it first if it is not there yet"
        )


def follow_clicks(
    paths: Sequence[str],
    chosen: Settings,
    named: Mapping[str, str | None],
    layout: Layout,
    rules: Rules,
    *,
    as_json: bool,
) -> None:
    """Add the click logs that arrive in the folder until Ctrl-C or SIGTERM.

    Raises:
        FollowedFolderError: ``paths`` is not one folder.
    """
    from recsys.ingest.clean import clicks_by
    from recsys.ingest.clicks import load_clicks
    from recsys.ingest.files import find_files
    from recsys.ingest.follow import Following, follow
    from recsys.ingest.place import local_path
    from recsys.ingest.read import map_columns
    from recsys.ingest.summary import Summary

    folder = Path(local_path(paths[0])).resolve()
    if len(paths) != 1 or not folder.is_dir():
        raise FollowedFolderError(paths)
    with open_job(chosen) as job, ExitStack() as stack:
        job.start()  # it takes signals for itself, so before we do
        stop = stack.enter_context(_stopped_by_signals())

        def load(files: Sequence[str]) -> Summary:
            return load_clicks(job, map_columns(find_files(files, layout), clicks_by(rules), named), rules)

        def tell(step: Step) -> None:
            note(_line(step))
            if as_json:
                print_line(json.dumps(_as_json(step), ensure_ascii=False))

        note(f"following {folder}; Ctrl-C stops")
        follow(Following(job, folder, load, tell, stop, layout.format))
        note("stopped; the same command goes on from here")


@contextmanager
def _stopped_by_signals() -> Iterator[threading.Event]:
    stop = threading.Event()

    def handle(number: int, _: object) -> None:
        note("stopping when the files at hand are in; Ctrl-C again breaks off, and the next start finishes them")
        stop.set()
        signal.signal(number, signal.default_int_handler)

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _as_json(step: Step) -> dict[str, Any]:
    totals = {
        name: sum(getattr(summary, name) for summary in step.summaries)
        for name in ("files_new", "files_in_already", "files_repeated", "read", "kept")
    }
    aside = sum(refused.rows for summary in step.summaries for refused in summary.set_aside.values())
    return {
        "files": step.files,
        "left_out": step.left_out,
        **totals,
        "set_aside": aside,
        "seconds": round(sum(summary.seconds for summary in step.summaries), 2),
        "lag_seconds": round(step.lag_seconds, 2),
        "waiting": len(step.waiting),
        "waiting_oldest_seconds": round(step.waiting[0], 2) if step.waiting else None,
        "waiting_newest_seconds": round(step.waiting[-1], 2) if step.waiting else None,
    }


def _line(step: Step) -> str:
    done = _as_json(step)
    waiting = f"{done['waiting']:,} files wait"
    if step.waiting:
        waiting += f", since {step.waiting[0]:.1f} to {step.waiting[-1]:.1f} s"
    return (
        f"files: {done['files']:,}, of which {done['files_new']:,} new and {done['left_out']:,} left out; "
        f"rows: {done['kept']:,} kept, {done['set_aside']:,} set aside; lag {step.lag_seconds:.1f} s; {waiting}"
    )
