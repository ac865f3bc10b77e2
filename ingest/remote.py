"""The bytes of files that only Hadoop reads, brought to tasks in Python and laid down as they are.

A task in Python cannot call Hadoop; Spark's text source can, on whatever machine the task runs, and piece by piece so
that size does not matter. Told to, it cuts at line feeds and nowhere else and unpacks nothing. Its pieces joined by
line feeds are the file again, be it text, packed text or Parquet, for the very readers of files of this machine.
"""

from __future__ import annotations

import functools
import os
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from urllib.parse import unquote

import pyarrow as pa
from pyspark.sql import DataFrame, DataFrameReader, SparkSession
from pyspark.sql import functions as f

from recsys.ingest.files import InputFile

_WHOLE: Final = str(1 << 40)
_GLOB: Final = re.compile(r"[\\\[\]{}*?]")
_CODEC: Final = "org.apache.hadoop.io.compress.PassthroughCodec"
_ENDINGS: Final = ("io.compress.passthrough.extension", "org.apache.hadoop.shaded.io.compress.passthrough.extension")
"The codec's property, by itself and as it is called in the Hadoop that Spark brings."

_ENDS: Final = {0: b"", 1: b"\n", 3: b"", 4: b"\n"}
"What is still to be written when so many bytes are missing: a last line feed is none, and of a mark of UTF-8 is told."


def pieces(spark: SparkSession, files: Sequence[InputFile]) -> DataFrame:
    """Return what lies between the line feeds of ``files``, a partition per file.

    Returns:
        ``piece``, bytes; ``file``, the file's address as a URI; ``size``, its bytes.
    """
    # No file is cut, and none shares a partition with another.
    for name in ("spark.sql.files.maxPartitionBytes", "spark.sql.files.openCostInBytes"):
        spark.conf.set(name, _WHOLE)
    by_ending: dict[str, list[str]] = defaultdict(list)
    for file in files:
        by_ending[file.path.suffix].append(_GLOB.sub(r"\\\g<0>", file.address))
    columns = (
        f.col("value").cast("binary").alias("piece"),
        f.col("_metadata.file_path").alias("file"),
        f.col("_metadata.file_size").alias("size"),
    )
    read = (_reader(spark, ending).load(addresses).select(*columns) for ending, addresses in by_ending.items())
    return functools.reduce(DataFrame.union, read)


def copies(batches: Iterator[pa.RecordBatch]) -> Iterator[tuple[str, Path, bool]]:
    """Yield the file of one partition of :func:`pieces`, if it has one.

    Yields:
        Its address; a copy of the same name, which is there until the next step; and whether that has as many bytes as
        Hadoop says.
    """
    filled = (batch for batch in batches if batch.num_rows)
    first = next(filled, None)
    if first is None:
        return
    address, size = unquote(first.column("file")[0].as_py()), first.column("size")[0].as_py()
    with TemporaryDirectory(prefix="recsys-", dir=_scratch()) as folder:
        copy = Path(folder) / address.rpartition("/")[2]
        with copy.open("wb") as out:
            out.write(_joined(first))
            for batch in filled:
                out.write(b"\n" + _joined(batch))
            missing = size - out.tell()
            out.write(_ENDS.get(missing, b""))
        yield address, copy, missing in _ENDS


def _joined(batch: pa.RecordBatch) -> bytes:
    return b"\n".join(batch.column("piece").to_pylist())


def _reader(spark: SparkSession, ending: str) -> DataFrameReader:
    options = {"lineSep": "\n", "recursiveFileLookup": "true"}  # looked up as they are, without columns of folders
    if ending:
        options |= {"io.compression.codecs": _CODEC, **dict.fromkeys(_ENDINGS, ending)}
    return spark.read.format("text").options(**options)


def _scratch() -> str | None:
    """Return where Spark lets a task of this machine keep files."""
    return os.environ.get("SPARK_LOCAL_DIRS", "").split(",")[0] or None
