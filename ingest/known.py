"""Which files need not be read: those whose bytes were read before, and whose rows are in.

Reading is a function of a file's bytes and of how they are read, so what it yielded once stands for reading again. The
batches alone say what is in; only what a complete batch holds is passed over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from recsys.graph.batches import list_batches
from recsys.graph.client import Graph
from recsys.graph.read_files import ReadFile, files_read, note_files
from recsys.ingest.clean import Kind
from recsys.ingest.fingerprint import fingerprints
from recsys.ingest.read import FileContent, Source


@dataclass(frozen=True)
class Known:
    """Files of one call, in two heaps.

    Attributes:
        unread: To be read.
        ids: What each of them is known by, before it was read; None where nothing is to be noted.
        contents: What the others hold.
        rejects: Names of the folders with their rows set aside.
    """

    unread: tuple[Source, ...]
    ids: tuple[str | None, ...]
    contents: tuple[FileContent, ...] = ()
    rejects: frozenset[str] = frozenset()


def nothing_known(sources: Sequence[Source]) -> Known:
    """Return that all files are to be read, and none noted."""
    return Known(tuple(sources), (None,) * len(sources))


def recall(graph: Graph, sources: Sequence[Source], kind: Kind, most: int | None, rejects: Path) -> Known:
    """Return which of ``sources`` are to be read.

    Args:
        graph: Its ledger decides.
        sources: Files of a kind that goes into batches.
        kind: Clicks or links.
        most: Clicks of the largest session that is kept.
        rejects: A file of which rows were set aside is known where they still lie in this folder.
    """
    ids = fingerprints(sources, kind, most)
    noted = files_read(graph, [id_ for id_ in ids if id_ is not None])
    complete = {file for batch in list_batches(graph, kind.name) if batch.complete for file in batch.files}
    found = [noted.get(id_) if id_ is not None else None for id_ in ids]
    is_in = [file is not None and _is_in(file, complete, rejects) for file in found]
    unread = [place for place, known in enumerate(is_in) if not known]
    known = [(source.file.name, file) for source, file, is_ in zip(sources, found, is_in, strict=True) if is_ and file]
    return Known(
        unread=tuple(sources[place] for place in unread),
        ids=tuple(ids[place] for place in unread),
        contents=tuple(FileContent(name, f.kept, f.refused, f.content, f.skipped) for name, f in known),
        rejects=frozenset(file.rejects for _, file in known if file.rejects),
    )


def _is_in(file: ReadFile, complete: set[str], rejects: Path) -> bool:
    return (not file.kept or file.content in complete) and (not file.rejects or (rejects / file.rejects).is_dir())


def note_read(
    graph: Graph, known: Known, read: Sequence[FileContent], kind: Kind, most: int | None, rejects: str
) -> None:
    """Note what the files held that were read, but for those whose bytes changed meanwhile.

    Args:
        graph: Where.
        known: What :func:`recall` returned.
        read: What its ``unread`` hold.
        kind: As it was given.
        most: As it was given.
        rejects: Name of the folder of their rows set aside.
    """
    if not any(known.ids):
        return
    after = fingerprints(known.unread, kind, most)
    notes = {
        id_: ReadFile(f.kept, f.hash, f.refused, f.skipped, rejects if f.refused else "")
        for id_, now, f in zip(known.ids, after, read, strict=True)
        if id_ is not None and id_ == now
    }
    note_files(graph, notes)
