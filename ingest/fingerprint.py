"""What a file is known by without its rows being read: its bytes, and everything that decides what they mean."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from recsys.core import columns, text
from recsys.ingest.clean import Kind
from recsys.ingest.read import Source

_HASHERS = 4


def fingerprints(sources: Sequence[Source], kind: Kind, most: int | None) -> list[str | None]:
    """Return what each file is known by; None where it is not to be had.

    Those of other file systems have none, nor have rows that were set aside and that a retry reads.

    Args:
        sources: Files, and how they are read.
        kind: By which rules.
        most: Clicks of the largest session that is kept; None for all.
    """
    with ThreadPoolExecutor(_HASHERS) as pool:  # hashing lets other threads run
        return list(pool.map(lambda source: _fingerprint(source, kind, most), sources))


def _fingerprint(source: Source, kind: Kind, most: int | None) -> str | None:
    if source.file.address or source.salt:
        return None
    digest = hashlib.blake2b(_meaning(source, kind, most).encode(errors="surrogateescape"), digest_size=20)
    try:
        with source.file.path.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "blake2b").digest())
    except OSError:  # whoever reads it says so
        return None
    return digest.hexdigest()


def _meaning(source: Source, kind: Kind, most: int | None) -> str:
    file, rules = source.file, kind.rules
    decides = {
        "code": _code(),
        "kind": kind.name,
        "format": file.format,
        "packed": file.path.suffix.lower(),
        "seen": [file.columns, file.parts],
        "delimiter": file.layout.delimiter_of(file.path),
        "quotes": file.layout.quotes,
        "header": file.layout.columns,
        "columns": dict(source.columns),
        "nested": source.nested,
        "partitions": dict(file.partitions),
        "events": dict(rules.events),
        "times": [rules.timestamp_format, str(rules.zone)],
        "robots": most,
    }
    return json.dumps(decides, sort_keys=True, default=repr)


@functools.cache
def _code() -> str:
    """Return a hash of the code that makes rows, so that what an earlier version made of a file does not count."""
    files = [*Path(__file__).parent.glob("*.py"), Path(text.__file__), Path(columns.__file__)]
    digest = hashlib.blake2b()
    for path in sorted(files):
        digest.update(path.read_bytes())
    return digest.hexdigest()
