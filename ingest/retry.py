"""Drives rows that were set aside in again, each once, whatever breaks off.

A retry first freezes the rows it will read, and how, beside the batch. The ledger knows their content by batch, number
of the retry and file, not by the rows alone, so that two rows mended to be the same count twice. A frozen retry that
the ledger knows is finished as it was begun; one that it does not know has written nothing and is made anew.
"""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from filelock import FileLock
from pyspark.sql import DataFrame

from recsys.core.errors import DataError
from recsys.graph.batches import list_batches
from recsys.ingest.clean import ITEMS, LINKS, NODES, RELATION_NAME, Kind, clicks_by
from recsys.ingest.clicks import load_clicks
from recsys.ingest.fates import Fates
from recsys.ingest.files import InputFile, NoRowsError
from recsys.ingest.items import load_items
from recsys.ingest.job import Job
from recsys.ingest.layout import BY_NAME, Layout
from recsys.ingest.links import load_links, load_nodes
from recsys.ingest.partitions import partitions_of
from recsys.ingest.read import Source, map_columns
from recsys.ingest.reject_batch import ROWS, RejectBatch, RejectSource, load_batch, read_lines, save_batch
from recsys.ingest.robots import ROBOT_SESSION
from recsys.ingest.rules import EVERY_CLICK, Rules
from recsys.ingest.summary import Summary
from recsys.ingest.tasks import to_json

FROZEN: Final = "retry"


class NothingMendedError(DataError):
    """None of the rows of a batch can be used yet."""

    def __init__(self, folder: Path, detail: str) -> None:
        self.folder = folder
        super().__init__(
            f"no row of batch {folder.name} can be used yet ({detail}); mend them in {folder / ROWS}, or name what was "
            "wrong with flags such as --timestamp-format, then retry"
        )


@dataclass(frozen=True)
class Mended:
    """What flags say otherwise than the ingest that set the rows aside did.

    Attributes:
        columns: Our column to the file's; None where it stays.
        layout: Format, delimiter and columns where given; quotes where False.
        rules: Events and format of times where given.
        zone_given: Whether the rules' zone counts.
        reasons: Rows of these reasons alone; empty means all but robots.
    """

    columns: Mapping[str, str | None] = field(default_factory=dict)
    layout: Layout = BY_NAME
    rules: Rules = EVERY_CLICK
    zone_given: bool = False
    reasons: Sequence[str] = ()


def retry_rejects(job: Job, folder: Path, mended: Mended) -> Summary | None:
    """Add the rows in ``folder`` that can be used now, and mark them as being in; None when no row waits.

    Raises:
        RejectBatchUnknownError, RejectsBrokenError: There is no such batch, or a line was broken while it was mended.
        NothingMendedError, TooManyRejectsError: No row can be used, or too few; nothing was written.
        ColumnMissingError: A named column is not there.
        GraphUnreachableError: Neo4j went away; run the same command again.
    """
    with FileLock(folder / ".lock"):
        return _retry(job, folder, mended)


def _retry(job: Job, folder: Path, mended: Mended) -> Summary | None:
    assert job.graph is not None  # noqa: S101 - a retry is never a dry run
    batch, frozen = load_batch(folder), folder / FROZEN
    prefix = f"{batch.kind}/{batch.name}/{batch.retries}/"
    if frozen.exists() and not any(
        file.startswith(prefix) for known in list_batches(job.graph, batch.kind) for file in known.files
    ):
        shutil.rmtree(frozen)
    if not frozen.exists() and not _freeze(batch, folder, mended):
        return None
    begun = load_batch(frozen)
    sources, fates = _sources(begun, frozen), Fates()

    def collect(rows: DataFrame, *_: Any) -> None:
        bad = rows.where("reason IS NOT NULL").select("number", "reason")
        for row in bad.toLocalIterator():
            fates.fail(row["number"], row["reason"])

    try:
        summary = _load(begun)(replace(job, aside=collect, max_session_clicks=None), sources)
    except NoRowsError as error:
        raise NothingMendedError(folder, error.detail) from error
    for path in frozen.glob("*.jsonl"):
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                fates.bring_in(json.loads(line)["id"])
    _mark(folder, fates, batch.retries + 1)
    save_batch(folder, replace(batch, retries=batch.retries + 1))
    shutil.rmtree(frozen)
    summary.rejects = folder if fates.reasons else None
    return summary


def _freeze(batch: RejectBatch, folder: Path, mended: Mended) -> bool:
    partial = folder / f".{FROZEN}"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    order = {source.path: number for number, source in enumerate(batch.sources)}
    waiting = set[int]()
    chosen = (line for line in read_lines(folder) if _is_chosen(line, mended) and line["file"] in order)
    # Rows of a file lie together unless somebody moved them: one file is open at a time.
    for file, lines in itertools.groupby(chosen, key=lambda line: str(line["file"])):
        waiting.add(order[file])
        with (partial / f"{order[file]}.jsonl").open("a", encoding="utf-8") as out:
            out.writelines(json.dumps({"id": line["id"], "row": line["row"]}) + "\n" for line in lines)
    sources = [_amended(batch.sources[number], mended) for number in sorted(waiting)]
    for place, number in enumerate(sorted(waiting)):
        (partial / f"{number}.jsonl").rename(partial / f"{place}.jsonl")
    rules = Rules(
        mended.rules.events or batch.rules.events,
        mended.rules.timestamp_format or batch.rules.timestamp_format,
        mended.rules.zone if mended.zone_given else batch.rules.zone,
    )
    save_batch(partial, replace(batch, sources=tuple(sources), rules=rules))
    if not sources:
        shutil.rmtree(partial)
        return False
    partial.rename(folder / FROZEN)
    return True


def _is_chosen(line: Mapping[str, Any], mended: Mended) -> bool:
    asked = line["reason"] in mended.reasons if mended.reasons else line["reason"] != ROBOT_SESSION
    return asked and "retried" not in line


def _amended(source: RejectSource, mended: Mended) -> RejectSource:
    given = {ours: theirs for ours, theirs in mended.columns.items() if theirs is not None}
    return replace(
        source,
        format=mended.layout.format or source.format,
        delimiter=mended.layout.delimiter or source.delimiter,
        quotes=source.quotes and mended.layout.quotes,
        header=mended.layout.columns or source.header,
        columns={**source.columns, **given},
    )


def _sources(batch: RejectBatch, frozen: Path) -> list[Source]:
    kind = _kind(batch)
    sources: list[Source] = []
    for number, source in enumerate(batch.sources):
        path = frozen / f"{number}.jsonl"
        layout = Layout(source.format, source.delimiter, source.header, source.quotes)
        present = dict.fromkeys(source.header)
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)["row"]
                present |= dict.fromkeys(row) if isinstance(row, dict) else {}
        file = InputFile(path, "rejects", tuple(present), layout=layout, partitions=partitions_of(Path(source.path)))
        named = {ours: theirs for ours, theirs in source.columns.items() if ours != RELATION_NAME}
        mapped = map_columns([file], kind, named, source.columns.get(RELATION_NAME))[0]
        sources.append(replace(mapped, salt=f"/{batch.name}/{batch.retries}/{number}"))
    return sources


def _kind(batch: RejectBatch) -> Kind:
    return {"items": ITEMS, "links": LINKS, "nodes": NODES}.get(batch.kind) or clicks_by(batch.rules)


def _load(batch: RejectBatch) -> Callable[[Job, Sequence[Source]], Summary]:
    if batch.kind == "clicks":
        return lambda job, sources: load_clicks(job, sources, batch.rules)
    return {"items": load_items, "links": load_links, "nodes": load_nodes}[batch.kind]


def _mark(folder: Path, fates: Fates, retry: int) -> None:
    partial = folder / f".{ROWS}"
    with partial.open("w", encoding="utf-8") as out:
        for line in read_lines(folder):
            reason = fates.of(line["id"])
            if reason is not None:
                line |= {"reason": reason} if reason else {"retried": retry}
            out.write(to_json(line) + "\n")
    partial.replace(folder / ROWS)
