"""What files held that were read before, by their bytes, so that the same file need not be read again.

It is a note of what reading yields, no more: whether those rows are in is what the batches say.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from recsys.graph.client import Graph

_FILES_A_TIME = 1_000


@dataclass(frozen=True)
class ReadFile:
    """What one file held.

    Attributes:
        kept: Good rows.
        content: Their hash, as batches name it; empty without a good row.
        refused: Reason code to (rows, one of them).
        skipped: Reason code to rows that were passed over.
        rejects: Folder of the rows set aside, by name; empty where there are none.
    """

    kept: int
    content: str
    refused: Mapping[str, tuple[int, str]]
    skipped: Mapping[str, int]
    rejects: str = ""


def files_read(graph: Graph, ids: Sequence[str]) -> dict[str, ReadFile]:
    """Return what is known of the files with these ids."""
    records = graph.read(
        "MATCH (f:ReadFile) WHERE f.id IN $ids RETURN f.id AS id, f.kept AS kept, f.content AS content, "
        "f.refused AS refused, f.skipped AS skipped, f.rejects AS rejects",
        ids=list(ids),
    )
    return {
        r["id"]: ReadFile(
            kept=r["kept"],
            content=r["content"],
            refused={reason: (rows, example) for reason, (rows, example) in json.loads(r["refused"]).items()},
            skipped=json.loads(r["skipped"]),
            rejects=r["rejects"],
        )
        for r in records
    }


def note_files(graph: Graph, files: Mapping[str, ReadFile]) -> None:
    """Note what files held, by id; the last note of an id counts."""
    rows = [
        {
            "id": id_,
            "kept": file.kept,
            "content": file.content,
            "refused": json.dumps(file.refused, sort_keys=True),
            "skipped": json.dumps(file.skipped, sort_keys=True),
            "rejects": file.rejects,
        }
        for id_, file in sorted(files.items())
    ]
    for start in range(0, len(rows), _FILES_A_TIME):
        graph.write(
            "UNWIND $rows AS row MERGE (f:ReadFile {id: row.id}) SET f += row", rows=rows[start : start + _FILES_A_TIME]
        )
