"""File systems that Hadoop reads, such as S3 and HDFS: looked through by Spark's Java, with its jars and properties."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from functools import partial
from glob import has_magic
from pathlib import Path
from typing import Any, Final

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from recsys.ingest.files import FormatUnknownError, NoFilesError, is_input
from recsys.ingest.hadoop_errors import explained_lookup, java_cause
from recsys.ingest.layout import Format, format_of
from recsys.ingest.place import Place, SchemeUnknownError

JAVA_ERRORS: Final = (Py4JJavaError, PySparkException)
"What a call of Hadoop that fails raises here."

_PEEK_BYTES = 1 << 16


class Hadoop:
    """Finds and opens files by their address.

    Args:
        spark: A session; its properties ``spark.hadoop.…`` say how file systems are reached.
    """

    def __init__(self, spark: SparkSession) -> None:
        java: Any = spark
        self._path = java._jvm.org.apache.hadoop.fs.Path
        self._conf = java._jsparkSession.sessionState().newHadoopConf()
        self._version = str(java._jvm.org.apache.hadoop.util.VersionInfo.getVersion())

    def places(self, address: str, format_: Format | None) -> list[Place]:
        """Return the files that ``address`` stands for, as a path of this machine would: itself, a folder or a glob.

        Names that begin with a dot or an underscore are left out wherever they stand, since Spark does not read them.

        Raises:
            NoFilesError: There are none.
            SchemeUnknownError: It is the address of a web page.
            FormatUnknownError: A file given by name has an unknown ending.
            FileSystemMissingError, FileSystemFailedError: Hadoop does not know the file system, or it fails.
        """
        if address.startswith(("http://", "https://")):  # Hadoop opens them, but knows no size
            raise SchemeUnknownError(address)
        with self._told(address):
            system = self._path(f"{_root(address)}/").getFileSystem(self._conf)
            places: list[Place] = []
            for status in self._matches(system, address):
                if status.isDirectory():
                    places += self._inside(system, status.getPath(), format_)
                elif status.getPath().getName()[0] not in "._":
                    places.append(_place(system, status))
                    if (format_ or format_of(places[-1].path)) is None:
                        raise FormatUnknownError(places[-1].name)
        if not places:
            raise NoFilesError(address)
        return places

    @contextmanager
    def _told(self, address: str) -> Iterator[None]:
        try:
            yield
        except JAVA_ERRORS as error:
            raise explained_lookup(address, str(error), self._version) from error

    def _matches(self, system: Any, address: str) -> Iterator[Any]:
        root = _root(address)
        whole = self._path(f"{root}/" if address == root else address)
        if system.exists(whole):
            yield system.getFileStatus(whole)
            return
        names = [name for name in address.removeprefix(root).split("/") if name]
        yield from self._glob(system, self._path(f"{root}/"), names)

    def _glob(self, system: Any, folder: Any, names: list[str]) -> Iterator[Any]:
        """Yield what the steps ``names`` lead to, as :func:`glob.glob` goes; Hadoop's own globs know no ``**``."""
        name, *rest = names or [""]
        if not has_magic(name):
            found = self._path(f"{str(folder).rstrip('/')}/{name}")
            if system.exists(found):
                yield from self._glob(system, found, rest) if rest else [system.getFileStatus(found)]
            return
        if name == "**":
            yield from self._glob(system, folder, rest)
        for child in system.listStatus(folder):
            called = child.getPath().getName()
            if called.startswith(".") and not name.startswith("."):
                continue
            if name == "**" and child.isDirectory():
                yield from self._glob(system, child.getPath(), names)
            elif fnmatchcase(called, name) and not rest:
                yield child
            elif fnmatchcase(called, name) and child.isDirectory():
                yield from self._glob(system, child.getPath(), rest)

    def _inside(self, system: Any, folder: Any, format_: Format | None) -> Iterator[Place]:
        above, files = _local(folder), system.listFiles(folder, True)
        while files.hasNext():
            place = _place(system, files.next())
            if is_input(place.path, above, format_):
                yield place


def _root(address: str) -> str:
    scheme, _, rest = address.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"


class _Bytes(io.RawIOBase):
    """A file that Java has open, as Python reads one.

    Args:
        stream: An ``FSDataInputStream``.
        size: Of the file.
    """

    def __init__(self, stream: Any, size: int) -> None:
        self._stream = stream
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def readinto(self, buffer: Any) -> int:
        wanted = min(len(buffer), self._size - self._at)
        if wanted <= 0:
            return 0
        try:
            self._stream.seek(self._at)
            read = self._stream.readNBytes(wanted)
        except JAVA_ERRORS as error:
            raise OSError(java_cause(str(error))) from error
        buffer[: len(read)] = read
        self._at += len(read)
        return len(read)

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()


def _open(system: Any, path: Any, size: int) -> io.BufferedReader:
    try:
        return io.BufferedReader(_Bytes(system.open(path), size), _PEEK_BYTES)
    except JAVA_ERRORS as error:
        raise OSError(java_cause(str(error))) from error


def _place(system: Any, status: Any) -> Place:
    path = status.getPath()
    return Place(_local(path), str(path.toString()), partial(_open, system, path, status.getLen()))


def _local(path: Any) -> Path:
    return Path(path.toUri().getPath())
