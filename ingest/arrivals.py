"""Which files of a followed folder were offered by Spark's file source, and which still wait."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from itertools import chain
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as f

from recsys.ingest.files import files_in, is_input
from recsys.ingest.layout import Format

_SCHEMA = "path string, modificationTime timestamp, length long, content binary"


def arriving(spark: SparkSession, folder: Path) -> DataFrame:
    """Return a stream of the files in ``folder``, to any depth: ``path`` and ``ms``, when it was last changed."""
    files = spark.readStream.format("binaryFile").schema(_SCHEMA)
    # Files may be older than those before them, and gone when they are looked at.
    options = {"recursiveFileLookup": "true", "maxFileAge": "36500d", "ignoreMissingFiles": "true"}
    return files.options(**options).load(str(folder)).select("path", f.unix_millis("modificationTime").alias("ms"))


class Arrivals:
    """The files of a folder.

    Args:
        folder: Absolute.
        format_: Of every file, whatever its name; None goes by the name.
        checkpoint: Of the stream; says what earlier processes were offered.
    """

    def __init__(self, folder: Path, format_: Format | None, checkpoint: Path) -> None:
        self._folder = folder
        self._format = format_
        logs = (log.read_text(encoding="utf-8").splitlines()[1:] for log in checkpoint.glob("sources/0/[0-9]*"))
        paths = (json.loads(line)["path"] for line in chain.from_iterable(logs))
        self._offered = {Path(unquote(urlsplit(path).path)) for path in paths}

    def take(self, rows: Iterable[Row]) -> dict[Path, float]:
        """Return the files among ``rows`` of the stream that are input, with the Unix time of their last change."""
        # The column holds a path as Hadoop writes it: nothing is escaped, so that a question mark is part of it.
        changed = {Path(row["path"].removeprefix("file:")): row["ms"] / 1_000 for row in rows}
        self._offered |= changed.keys()
        return {path: at for path, at in sorted(changed.items()) if is_input(path, self._folder, self._format)}

    def waiting(self, now: float) -> tuple[float, ...]:
        """Return the ages in seconds of the files that were not offered yet, the oldest first."""
        ages = []
        for path in files_in(self._folder, self._format):
            with suppress(FileNotFoundError):
                if path not in self._offered:
                    ages.append(now - path.stat().st_mtime)
        return tuple(sorted(ages, reverse=True))
