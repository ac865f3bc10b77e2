"""Vectors of texts, from the run that made a collection and from no other."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from recsys.core.bonus import widen_queries
from recsys.core.run import Run, Vectors, list_runs
from recsys.core.text import normalise
from recsys.serving.encoder import EncoderMismatchError, check_encoder, load_encoder
from recsys.serving.known import KnownRows
from recsys.serving.lineage import Lineage
from recsys.serving.recommendation import LiveRunMissingError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


class Questions:
    """Turns texts into vectors ready for a single search of one collection; what is not needed is never loaded."""

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

    @cached_property
    def known(self) -> KnownRows:
        """The run's queries."""
        return KnownRows(self._run.path / "queries.parquet")

    @cached_property
    def _run(self) -> Run:
        runs = {run.name: run for run in list_runs(self._runs_dir)}
        if self._lineage.run not in runs:
            raise LiveRunMissingError(self._lineage.run, self._runs_dir, list(runs))
        run = runs[self._lineage.run]
        found = run.manifest["encoder_hash"]
        if found != self._lineage.encoder_hash:
            raise EncoderMismatchError(self._collection, run, expected=self._lineage.encoder_hash, found=found)
        return run

    @cached_property
    def _encoder(self) -> SentenceTransformer:
        check_encoder(self._run, self._collection, self._lineage.encoder_hash)
        return load_encoder(self._run)

    def _encode(self, texts: Sequence[str]) -> Sequence[Vectors]:
        is_wide = self._lineage.how.is_wide
        blank = np.zeros(self._lineage.width - is_wide, dtype=np.float32)
        if not any(map(normalise, texts)):
            return [np.zeros(self._lineage.width, dtype=np.float32)] * len(texts)
        encoded = self._encoder.encode(list(texts), convert_to_numpy=True, show_progress_bar=False)
        vectors = np.stack([v if normalise(t) else blank for t, v in zip(texts, encoded, strict=True)])
        return list(widen_queries(vectors, self._lineage.how.bonus) if is_wide else vectors)
