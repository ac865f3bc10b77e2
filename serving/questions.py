"""Vectors of texts, from the run that made a collection and from no other."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from recsys.core.run import Run, Vectors, list_runs
from recsys.core.text import normalise, query_id
from recsys.serving.encoder import Encode, EncoderMismatchError, check_encoder, encode_with
from recsys.serving.known import KnownRows
from recsys.serving.lineage import Lineage
from recsys.serving.recommendation import LiveRunMissingError, UnknownIdError


class Questions:
    """Turns texts into vectors ready for a single search of one collection; what is not needed is never loaded.

    Threads may share it.
    """

    def __init__(self, collection: str, lineage: Lineage, runs_dir: Path) -> None:
        """Note where to look.

        Args:
            collection: That will be searched.
            lineage: Of the collection.
            runs_dir: Directory of the run directories.
        """
        self._collection = collection
        self._lineage = lineage
        self._runs_dir = runs_dir
        self._encoding = threading.Lock()

    def load(self) -> None:
        """Load all that texts may need, so that the first one does not wait for it.

        Raises:
            LiveRunMissingError: The run directory is gone.
            EncoderMismatchError: Its encoder did not make the collection.
        """
        self.known.row_of_text("")
        self.encode([""])

    def id_of(self, text: str) -> str:
        """Return the id of a text's query, that of the graph where the run knows it and else what an ingest gives it.

        Raises:
            LiveRunMissingError: The run directory is gone.
            EncoderMismatchError: Its encoder did not make the collection.
        """
        row = self.known.row_of_text(text)
        return query_id(text) if row is None else self.known.id(row)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return the encoder's vectors of texts as they are, shape (texts, encoder's width).

        Raises:
            LiveRunMissingError: The run directory is gone.
            EncoderMismatchError: Its encoder did not make the collection.
        """
        with self._encoding:
            return self._encoder(list(texts))

    def vectors(self, texts: Sequence[str]) -> tuple[list[Vectors], list[bool]]:
        """Return the vector of each text, and whether it is the stored one of a known query; others are encoded.

        Raises:
            LiveRunMissingError: The run directory is gone.
            EncoderMismatchError: Its encoder did not make the collection.
        """
        rows = [self.known.row_of_text(text) for text in texts]
        encoded = iter(self._encode([text for text, row in zip(texts, rows, strict=True) if row is None]))
        vectors = [next(encoded) if row is None else self.known.vector(row) for row in rows]
        return vectors, [row is not None for row in rows]

    def one(self, query: str, *, by_id: bool = False) -> tuple[Vectors, int | None]:
        """Return the vector of a text, or of a training query by its id, and the row where it is a training query.

        Raises:
            UnknownIdError: The run has no such query.
            LiveRunMissingError: The run directory is gone.
            EncoderMismatchError: Its encoder did not make the collection.
        """
        if not by_id:
            return self.vectors([query])[0][0], self.known.row_of_text(query)
        row = self.known.row_of_id(query)
        if row is None:
            raise UnknownIdError("query", query, self.known.close_ids(query))
        return self.known.vector(row), row

    @cached_property
    def known(self) -> KnownRows:
        """The run's queries."""
        return KnownRows(self.run.path / "queries.parquet")

    @cached_property
    def run(self) -> Run:
        """The run that made the collection."""
        runs = {run.name: run for run in list_runs(self._runs_dir)}
        if self._lineage.run not in runs:
            raise LiveRunMissingError(self._lineage.run, self._runs_dir, list(runs))
        run = runs[self._lineage.run]
        found = run.manifest["encoder_hash"]
        if found != self._lineage.encoder_hash:
            raise EncoderMismatchError(self._collection, run, expected=self._lineage.encoder_hash, found=found)
        return run

    @cached_property
    def _encoder(self) -> Encode:
        check_encoder(self.run, self._collection, self._lineage.encoder_hash)
        return encode_with(self.run)

    def _encode(self, texts: Sequence[str]) -> Sequence[Vectors]:
        how = self._lineage.how
        blank = np.zeros(self._lineage.width - how.extra, dtype=np.float32)
        if not any(map(normalise, texts)):
            return [np.zeros(self._lineage.width, dtype=np.float32)] * len(texts)
        encoded = self.encode(texts)
        vectors = np.stack([v if normalise(t) else blank for t, v in zip(texts, encoded, strict=True)])
        return list(how.ready(vectors, how.one))
