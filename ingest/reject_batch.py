"""A batch of rows that were set aside: a folder with the rows, and with how their files were read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from recsys.core.errors import DataError, UsageError
from recsys.core.files import write_text
from recsys.ingest.layout import Format
from recsys.ingest.read import Source
from recsys.ingest.rules import EVERY_CLICK, Rules
from recsys.ingest.tasks import to_json

ROWS: Final = "rows.jsonl"
BATCH: Final = "batch.json"
MOST_IDS: Final = 1 << 31
"Rows of a batch are numbered from 1 to less than this."


class RejectBatchUnknownError(UsageError):
    """There is no batch of rejects of this name."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        self.name = name
        self.known = tuple(known)
        super().__init__(
            f"no rows were set aside as batch {name!r} (known: {', '.join(known) or 'none'}); "
            "list them with `recsys ingest rejects`"
        )


class RejectsBrokenError(DataError):
    """A line of a batch of rejects cannot be understood any more."""

    def __init__(self, path: Path, line: int, detail: str) -> None:
        self.path = path
        self.line = line
        super().__init__(
            f"{path}, line {line}: {detail}; keep each line a JSON object with its id, file, reason and row, mend the "
            "row or delete the line, then retry"
        )


@dataclass(frozen=True)
class RejectSource:
    """How a file was read whose rows were set aside.

    Attributes:
        path: The file, or its address.
        format: Of the file; rows of Parquet that could not be taken apart stand as JSON text.
        delimiter: Of its fields.
        quotes: Whether quotes enclosed fields.
        header: Names of its columns in order.
        columns: Our column to the file's.
    """

    path: str
    format: Format
    delimiter: str
    quotes: bool
    header: tuple[str, ...]
    columns: Mapping[str, str]

    @classmethod
    def of(cls, source: Source) -> RejectSource:
        """Describe how ``source`` is read."""
        file = source.file
        format_: Format = "csv" if file.format == "csv" else "json"
        layout = file.layout
        return cls(
            file.name, format_, layout.delimiter_of(file.path), layout.quotes, file.columns, dict(source.columns)
        )


@dataclass(frozen=True)
class RejectBatch:
    """What lies in one folder.

    Attributes:
        name: Of the folder.
        kind: clicks, items, links or nodes.
        sources: How each file was read; rows name theirs.
        rules: How rows were read.
        retries: How many retries are done.
    """

    name: str
    kind: str
    sources: tuple[RejectSource, ...]
    rules: Rules = EVERY_CLICK
    retries: int = 0


def save_batch(folder: Path, batch: RejectBatch) -> None:
    """Write the description of ``batch`` into ``folder``."""
    rules = {**asdict(replace(batch.rules, zone=EVERY_CLICK.zone)), "zone": str(batch.rules.zone)}
    write_text(folder / BATCH, to_json({**asdict(replace(batch, rules=EVERY_CLICK)), "rules": rules}) + "\n")


def load_batch(folder: Path) -> RejectBatch:
    """Read the description in ``folder``.

    Raises:
        RejectBatchUnknownError: There is none; the batches beside it are named.
    """
    try:
        found = json.loads((folder / BATCH).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RejectBatchUnknownError(folder.name, [known.name for known in batch_folders(folder.parent)]) from None
    rules = found.pop("rules")
    rules["zone"] = ZoneInfo(rules["zone"])
    sources = tuple(RejectSource(**{**s, "header": tuple(s["header"])}) for s in found.pop("sources"))
    return RejectBatch(sources=sources, rules=Rules(**rules), **found)


def batch_folders(rejects: Path) -> list[Path]:
    """Return the folders of all batches under ``rejects``, in order of name."""
    return sorted(path.parent for path in rejects.glob(f"*/{BATCH}") if not path.parent.name.startswith("."))


def read_lines(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of the batch in ``folder``: id, file, line or record, reason, row, and ``retried`` once it is in.

    Raises:
        RejectsBrokenError: A line is no such object, or its id stands there twice.
    """
    path = folder / ROWS
    seen = bytearray()
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                value = json.loads(line)
            except ValueError as error:
                raise RejectsBrokenError(path, number, f"it is not JSON ({error})") from None
            if not isinstance(value, dict) or not {"id", "file", "reason", "row"} <= value.keys():
                raise RejectsBrokenError(path, number, "it lacks id, file, reason or row")
            if not _is_new(value["id"], seen):
                raise RejectsBrokenError(path, number, f"its id {value['id']!r} is not its own")
            yield value


def _is_new(id_: Any, seen: bytearray) -> bool:
    """Mark ``id_`` in ``seen``, a bit per id so that many rows fit; False where it stands there or is no id of ours."""
    if not isinstance(id_, int) or not 0 < id_ < MOST_IDS:
        return False
    place, bit = id_ >> 3, 1 << (id_ & 7)
    seen.extend(bytes(max(place + 1 - len(seen), 0)))
    new = not seen[place] & bit
    seen[place] |= bit
    return new
