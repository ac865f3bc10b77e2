"""How a file is laid out: its format, and what sets the fields of a delimited one apart."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from recsys.core.errors import UsageError

Format = Literal["csv", "json", "parquet", "rejects"]
"Rejects are rows that were set aside, frozen for a retry; no file is found as such."

FORMATS: Final[dict[str, Format]] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "json",
    ".ndjson": "json",
    ".json": "json",
    ".parquet": "parquet",
}
COMPRESSIONS: Final = (".gz", ".bz2", ".zst")
DELIMITERS: Final = {"comma": ",", "tab": "\t", "semicolon": ";", "pipe": "|", "space": " "}
"Names of delimiters that are awkward to type."


class DelimiterError(UsageError):
    """A delimiter is not a single character that can set fields apart."""

    def __init__(self, given: str) -> None:
        self.given = given
        super().__init__(
            rf"{given!r} cannot be a delimiter; give --delimiter one character, an escape such as \t or \x01, or "
            f"{', '.join(DELIMITERS)}"
        )


class ColumnNamesError(UsageError):
    """The names for a file without a header cannot be its columns."""

    def __init__(self, given: str, detail: str) -> None:
        self.given = given
        super().__init__(f"--columns {given}: {detail}; give one name per field in order, blank for those not needed")


@dataclass(frozen=True)
class Layout:
    """What the name of a file does not say.

    Attributes:
        format: Of every file, whatever its name; None goes by the name.
        delimiter: One character; None means a tab in .tsv files, else a comma.
        columns: Names of the fields of delimited files without a header, blank where not needed; empty means that the
            first record is the header.
        quotes: Double quotes enclose fields; False takes them as characters like any other.
    """

    format: Format | None = None
    delimiter: str | None = None
    columns: tuple[str, ...] = ()
    quotes: bool = True

    def delimiter_of(self, path: Path) -> str:
        """Return what sets the fields of ``path`` apart."""
        return self.delimiter or ("\t" if ".tsv" in _suffixes(path) else ",")


BY_NAME: Final = Layout()
"Everything as the name says."


def format_of(path: Path) -> Format | None:
    """Return the format that the name of ``path`` says, or None."""
    suffixes = _suffixes(path)
    compressed = bool(suffixes) and suffixes[-1] in COMPRESSIONS
    if compressed:
        suffixes.pop()
    format_ = FORMATS.get(suffixes[-1]) if suffixes else None
    return None if compressed and format_ == "parquet" else format_


def parse_delimiter(text: str) -> str:
    r"""Return the character that ``text`` stands for: itself, an escape such as ``\t``, or a name such as tab.

    Raises:
        DelimiterError: It is no single character, or one that quotes or ends a record.
    """
    found = DELIMITERS.get(text.lower(), text)
    if len(found) > 1 and found.startswith("\\") and found.isascii():
        try:
            found = found.encode().decode("unicode_escape")
        except UnicodeDecodeError:
            raise DelimiterError(text) from None
    if len(found) != 1 or found in '"\r\n\0' or (not found.isprintable() and ord(found) > 0x7F):
        raise DelimiterError(text)
    return found


def parse_columns(text: str) -> tuple[str, ...]:
    """Return the names in ``a,b,,d``, without blanks around them.

    Raises:
        ColumnNamesError: There is no name at all, or one twice.
    """
    names = tuple(name.strip() for name in text.split(","))
    if not any(names):
        raise ColumnNamesError(text, "there is no name")
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise ColumnNamesError(text, f"a name stands there twice: {', '.join(twice)}")
    return names


def _suffixes(path: Path) -> list[str]:
    return [suffix.lower() for suffix in path.suffixes[-2:]]
