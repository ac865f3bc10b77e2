"""Rows that were set aside: written to a folder of their own, and listed by reason."""

from __future__ import annotations

import hashlib
import shutil
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pyspark.sql import DataFrame
from pyspark.sql import functions as f

from recsys.ingest.clean import Kind
from recsys.ingest.read import Source
from recsys.ingest.reject_batch import (
    ROWS,
    RejectBatch,
    RejectSource,
    batch_folders,
    load_batch,
    read_lines,
    save_batch,
)
from recsys.ingest.tasks import to_json

FOLDER: Final = "rejects"


@dataclass
class Waiting:
    """What waits in one batch.

    Attributes:
        batch: Its name.
        kind: clicks, items, links or nodes.
        folder: Where it is.
        went_in: Rows that a retry brought in.
        reasons: Reason code to ``rows`` that wait, and ``example``, the first of them as it stands in the folder.
    """

    batch: str
    kind: str
    folder: Path
    went_in: int = 0
    reasons: dict[str, dict[str, Any]] = field(default_factory=dict)


def write_rejects(rows: DataFrame, sources: Sequence[Source], kind: Kind, workspace: Path) -> Path | None:
    r"""Write the refused rows in order of file and row; rows that lie there already are left as they are.

    Returns:
        ``rejects/<kind>-<hash of the rows>`` in the workspace, None where there are no such rows. In its
        ``rows.jsonl``, ``row`` is an object where the row could be taken apart, and its text where not; a byte that was
        not UTF-8 stands there as ``\udcXX``. ``line`` is where it begins, in Parquet ``record`` which it is, from 1.
    """
    refused = rows.where("reason IS NOT NULL AND raw IS NOT NULL")
    names = [source.file.name for source in sources]
    row = f.xxhash64("file", "number", "reason", "raw").cast("decimal(20,0)")
    content = refused.agg(f.count("*"), f.sum(row)).collect()[0]
    if not content[0]:
        return None
    key = hashlib.sha256("\0".join([*names, *map(str, content)]).encode(errors="surrogateescape")).hexdigest()[:16]
    folder = workspace / FOLDER / f"{kind.name}-{key}"
    if folder.exists():
        return folder
    partial = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")
    partial.mkdir(parents=True)
    ordered = refused.orderBy("position").select("file", "number", "reason", "raw")
    with (partial / ROWS).open("w", encoding="utf-8") as out:
        for id_, (index, number, reason, raw) in enumerate(ordered.toLocalIterator(prefetchPartitions=True), start=1):
            where = "record" if sources[index].file.format == "parquet" else "line"
            lead = to_json({"id": id_, "file": names[index], where: number, "reason": reason})
            out.write(f'{lead[:-1]}, "row": {raw}}}\n')
    save_batch(partial, RejectBatch(folder.name, kind.name, tuple(map(RejectSource.of, sources)), kind.rules))
    try:
        partial.rename(folder)
    except OSError:
        if not folder.exists():
            raise
        shutil.rmtree(partial)  # an ingest of the same files at the same time was quicker
    return folder


def list_rejects(workspace: Path) -> list[Waiting]:
    """Return what waits in each batch, in order of name.

    Raises:
        RejectsBrokenError: A line was broken while it was mended.
    """
    found = []
    for folder in batch_folders(workspace / FOLDER):
        batch = load_batch(folder)
        waiting = Waiting(batch.name, batch.kind, folder)
        for line in read_lines(folder):
            if "retried" in line:
                waiting.went_in += 1
            else:
                waiting.reasons.setdefault(line["reason"], {"rows": 0, "example": line})["rows"] += 1
        found.append(waiting)
    return found
