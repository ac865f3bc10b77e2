"""Rows that were set aside: a JSON Lines file with the file, the reason and the row as it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from pyspark.sql import DataFrame

from recsys.ingest.read import Source


def write_rejects(rows: DataFrame, sources: Sequence[Source], kind: str, workspace: Path) -> Path:
    r"""Write the refused rows in order of file and row; the same files get the same name again.

    Returns:
        ``rejects/<kind>-<hash of the file names>.jsonl`` in the workspace. ``row`` is an object where the row could be
        taken apart, and its text where not; a byte that was not UTF-8 stands there as ``\udcXX``.
    """
    names = [str(source.file.path) for source in sources]
    key = hashlib.sha256("\0".join(names).encode(errors="surrogateescape")).hexdigest()[:16]
    path = workspace / "rejects" / f"{kind}-{key}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    refused = rows.where("reason IS NOT NULL").orderBy("position").select("file", "reason", "raw")
    partial = path.with_suffix(".partial")
    with partial.open("w", encoding="utf-8") as out:
        for index, reason, raw in refused.toLocalIterator(prefetchPartitions=True):
            out.write(f'{{"file": {json.dumps(names[index])}, "reason": {json.dumps(reason)}, "row": {raw}}}\n')
    partial.replace(path)
    return path
