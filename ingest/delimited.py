"""Delimited text read so that a broken row costs itself and nothing else."""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final, Literal

import pyarrow as pa

CSV_FIELD_LIMIT: Final = 4 * 1024 * 1024
"Characters of the longest field; beyond it a quote is taken as never closed."


def open_text(path: Path, stream: IO[bytes] | None = None) -> IO[str]:
    """Open a text file, decompressed by its name; line ends are kept, a byte that is not UTF-8 becomes a surrogate.

    Args:
        path: Of the file.
        stream: Its bytes, where they do not lie there.
    """
    compression = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}.get(path.suffix.lower())
    unpacked = pa.input_stream(str(path) if stream is None else stream, compression=compression)
    return io.TextIOWrapper(unpacked, encoding="utf-8-sig", errors="surrogateescape", newline="")


def is_unicode(text: str) -> bool:
    """False when ``text`` holds surrogates: bytes that were not UTF-8, or half of a pair."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class Records:
    """Records of a delimited file (RFC 4180): double quotes, line breaks within quotes.

    A quote that never closes, or closes in the middle of a field, sets aside the line it began on; the lines that were
    read for it are read again as rows of their own.

    Args:
        lines: Lines with their ends.
        delimiter: One character.
        quotes: False takes double quotes as characters like any other.

    Attributes:
        line: Where the record yielded last begins, from 1.
    """

    def __init__(self, lines: Iterator[str] | IO[str], delimiter: str = ",", *, quotes: bool = True) -> None:
        self.line = 0
        self._lines = iter(lines)
        self._taken = 0
        self._again: deque[str] = deque()
        self._current: list[str] = []
        self._delimiter = delimiter
        self._quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE
        csv.field_size_limit(CSV_FIELD_LIMIT)
        self._reader = self._parse()

    def header(self) -> list[str]:
        """Return the names of the first record without blanks around them; none when the file is empty.

        Raises:
            csv.Error: The quotes of the first record are broken.
        """
        fields, _ = next(self.rows(), ([], ""))
        if fields is None:
            raise csv.Error("the quotes of its header are broken")
        return [name.strip() for name in fields]

    def rows(self) -> Iterator[tuple[list[str] | None, str]]:
        """Yield (fields, text of the record); fields are None where quotes are broken. Blank lines are no records."""
        while True:
            self._current.clear()
            try:
                fields = next(self._reader)
            except StopIteration:
                return
            except csv.Error:
                first, *rest = self._current
                self._again.extendleft(reversed(rest))
                self._taken -= len(rest)
                self.line = self._taken
                self._reader = self._parse()
                yield None, first
                continue
            if fields:
                self.line = self._taken - len(self._current) + 1
                yield fields, self._current[0] if len(self._current) == 1 else "".join(self._current)

    def _parse(self) -> Iterator[list[str]]:
        return csv.reader(self._feed(), strict=True, delimiter=self._delimiter, quoting=self._quoting)

    def _feed(self) -> Iterator[str]:
        while True:
            line = self._again.popleft() if self._again else next(self._lines, None)
            if line is None:
                return
            self._taken += 1
            self._current.append(line)
            yield line
