"""Finds input files: names, folders and globs in, files with their format and columns out."""

from __future__ import annotations

import csv
import glob
import itertools
import json
import zlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from recsys.core.errors import DataError, UsageError
from recsys.ingest.delimited import Records, open_text
from recsys.ingest.layout import BY_NAME, COMPRESSIONS, FORMATS, Format, Layout, format_of
from recsys.ingest.partitions import partitions_of
from recsys.ingest.place import Place, is_remote, local_path, local_place

if TYPE_CHECKING:
    from recsys.ingest.hadoop import Hadoop

READ_ERRORS = (OSError, EOFError, csv.Error, zlib.error, pa.ArrowException)
"What reading a file that is not what its name says, or may not be read, raises."

_PEEKED_LINES = 1_000
_PEEKERS = 8


class NoFilesError(UsageError):
    """A path matches no file that can be read."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(
            f"{path} matches no file; give a file, a folder or a quoted glob of files named *{', *'.join(FORMATS)}"
        )


class FormatUnknownError(UsageError):
    """The format of a file cannot be told from its name."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(
            f"{path}: the name does not say the format; allowed are {', '.join(FORMATS)}, of which all but .parquet "
            f"may be followed by {', '.join(COMPRESSIONS)}; or say it with --format, such as --format csv"
        )


class FileUnreadableError(DataError):
    """A file cannot be read to its end as the format its name says."""

    def __init__(self, path: str, cause: object) -> None:
        self.path = path
        detail = " ".join(str(cause).split())[:300]
        super().__init__(f"{path} cannot be read ({detail}); mend or leave out this file, then run the same command")


class NoRowsError(DataError):
    """The files hold no row at all, or none that can be used."""

    def __init__(self, paths: Sequence[str], detail: str) -> None:
        self.paths = tuple(paths)
        self.detail = detail
        names = ", ".join(paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")
        super().__init__(f"nothing to ingest in {names}: {detail}")


@dataclass(frozen=True)
class InputFile:
    """One file to read.

    Attributes:
        path: Absolute, in its own file system.
        format: How to read it.
        columns: Names of its columns; of JSON Lines, those of the first lines.
        parts: Row groups of a Parquet file, which are read side by side; 1 for text.
        layout: What sets the fields of delimited text apart, and their names where there is no header.
        partitions: Column to value, from the names of its folders; columns of the file itself win.
        address: Of a file that only Hadoop reads; empty on this machine.
    """

    path: Path
    format: Format
    columns: tuple[str, ...]
    parts: int = 1
    layout: Layout = BY_NAME
    partitions: Mapping[str, Any] = field(default_factory=dict)
    address: str = ""

    @property
    def name(self) -> str:
        """What people know it by."""
        return self.address or str(self.path)

    def records(self, text: IO[str]) -> Records:
        """Return the records of this delimited file, the header too where it has one."""
        return Records(text, self.layout.delimiter_of(self.path), quotes=self.layout.quotes)


def find_files(paths: Sequence[str], layout: Layout = BY_NAME, hadoop: Hadoop | None = None) -> list[InputFile]:
    """Return the files that ``paths`` stand for, each once, in order of name, without those that are empty.

    Args:
        paths: Files, folders (searched to any depth; names starting with a dot or underscore are left out) and globs; a
            ``file://`` address is the path in it.
        layout: What the names do not say; with a format, a folder stands for all of its files.
        hadoop: Looks up addresses of other file systems.

    Raises:
        NoFilesError: A path matches nothing.
        SchemeUnknownError: A path is the address of something else, and there is no Hadoop to look it up.
        FileSystemMissingError, FileSystemFailedError: Hadoop cannot look it up.
        FormatUnknownError: A file given by name has an unknown ending.
        FileUnreadableError: A file's columns cannot be read.
        NoRowsError: Every file is empty.
    """
    found = sorted({place for path in paths for place in _expand(path, layout.format, hadoop)})
    with ThreadPoolExecutor(_PEEKERS) as pool:  # far away, each look takes its time
        files = [file for file in pool.map(lambda place: _open(place, layout), found) if file.columns]
    if not files:
        raise NoRowsError([place.name for place in found], "not even a header; check that the export wrote its rows")
    return [replace(file, partitions=partitions_of(file.path)) for file in files]


def _expand(path: str, format_: Format | None, hadoop: Hadoop | None) -> list[Place]:
    if hadoop is not None and is_remote(path):
        return hadoop.places(path, format_)
    return [local_place(file) for file in _local_files(local_path(path), format_)]


def _local_files(path: str, format_: Format | None) -> list[Path]:
    matches = [Path(path)] if Path(path).exists() else [Path(match) for match in glob.glob(path, recursive=True)]
    files = [match.resolve() for match in matches if not match.is_dir()]
    for file in files:
        if (format_ or format_of(file)) is None:
            raise FormatUnknownError(str(file))
    for folder in (match for match in matches if match.is_dir()):
        files += [path.resolve() for path in files_in(folder, format_)]
    if not files:
        raise NoFilesError(path)
    return files


def files_in(folder: Path, format_: Format | None = None) -> list[Path]:
    """Return the files that ``folder`` stands for, in no order."""
    return [path for path in folder.rglob("*") if is_input(path, folder, format_) and path.is_file()]


def is_input(path: Path, folder: Path, format_: Format | None = None) -> bool:
    """Return whether ``folder`` stands for ``path`` too, by the names of the file and the folders between."""
    visible = not any(name[0] in "._" for name in path.relative_to(folder).parts)
    return visible and (format_ or format_of(path)) is not None


def _open(place: Place, layout: Layout) -> InputFile:
    format_ = layout.format or format_of(place.path)
    assert format_ is not None  # noqa: S101 - _expand lets no other through
    layout = layout if format_ == "csv" else BY_NAME
    file = InputFile(place.path, format_, (), layout=layout, address=place.address)
    try:
        with place.open() as stream:
            if format_ == "parquet":
                with pq.ParquetFile(stream) as table:
                    columns, parts = tuple(table.schema_arrow.names), table.metadata.num_row_groups
                return replace(file, columns=columns, parts=parts)
            with open_text(place.path, stream) as text:
                columns = _json_columns(text, file) if format_ == "json" else _csv_columns(text, file)
                return replace(file, columns=columns)
    except READ_ERRORS as error:
        raise FileUnreadableError(file.name, error) from error


def _csv_columns(text: IO[str], file: InputFile) -> tuple[str, ...]:
    if file.layout.columns:
        return file.layout.columns if text.read(1) else ()
    header = tuple(file.records(text).header())
    if any("\0" in name for name in header):
        raise FileUnreadableError(file.name, "it is not UTF-8 text; convert it, for example with iconv")
    twice = sorted({name for name in header if header.count(name) > 1 and name})
    if twice:
        raise FileUnreadableError(file.name, f"its header names a column twice: {', '.join(twice)}")
    return header


def _json_columns(text: IO[str], file: InputFile) -> tuple[str, ...]:
    columns: dict[str, None] = {}
    empty = True
    for line in itertools.islice(text, _PEEKED_LINES):
        empty = empty and not line.strip()
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            columns.update(dict.fromkeys(value))
    if not columns and not empty:
        raise FileUnreadableError(file.name, "none of its first lines is a JSON object")
    return tuple(columns)
