"""The items of a run by their texts alone, E(title): what a search would find without the graph.

Shape letters: D encoder's width, L items.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

import numpy as np
import pyarrow.parquet as pq

from recsys.core.composition import unit
from recsys.core.run import Vectors
from recsys.core.text import normalise
from recsys.serving.exact import best_rows
from recsys.serving.questions import Questions
from recsys.serving.recommendation import Hit

MOST = 200_000
"Items whose vectors are made; 300 MB at a width of 384."
BLOCK = 256
"Texts encoded at once; a question waits no longer than that takes."

log = logging.getLogger(__name__)


class PlainItems:
    """Vectors of the items' titles under the run's encoder, made in a thread when first asked for.

    Titles only: no clicks, no bonus, no votes, cosine and nothing else. A run does not keep them, so the run directory
    has to be there.
    """

    def __init__(self, questions: Questions) -> None:
        self._questions = questions
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()
        self._ready = threading.Event()
        self._done = 0
        self._ids: Sequence[str] = ()
        self._titles: Sequence[str] = ()
        self._vectors_LD: Vectors | None = None
        self._failed = ""

    def start(self) -> None:
        """Begin to make the vectors, once."""
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._make, name="plain-items", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Give up making them."""
        self._stopped.set()

    def missing(self, patience: float = 0) -> str | None:
        """Return why there is nothing to search yet, in words; None where there is.

        Args:
            patience: Seconds to wait for it.
        """
        self.start()
        if not self._ready.wait(patience):
            return f"The titles are still being encoded ({self._done:,} of {len(self._titles):,}); search again soon."
        return self._failed or None

    def search(self, text: str, k: int) -> tuple[Hit, ...]:
        """Return the ``k`` items whose titles are nearest to a text by cosine, exactly; none for unknown words only.

        Call it where :meth:`missing` returns None.
        """
        assert self._vectors_LD is not None  # noqa: S101 - see above
        if not normalise(text):
            return ()
        query_1D = unit(self._questions.encode([text]))
        rows = best_rows(query_1D, self._vectors_LD, k)[0]
        scores = self._vectors_LD[rows] @ query_1D[0]
        return tuple(
            Hit(rank, float(score), self._ids[row], self._titles[row])
            for rank, (row, score) in enumerate(zip(rows, scores, strict=True), start=1)
        )

    def _make(self) -> None:
        try:
            self._encode_all()
        except Exception as error:  # whatever it is, the other column stands
            log.exception("the items' titles could not be encoded")
            self._failed = f"The titles could not be encoded: {error}"
        self._ready.set()

    def _encode_all(self) -> None:
        file = pq.ParquetFile(self._questions.run.path / "items.parquet")
        if file.metadata.num_rows > MOST:
            self._failed = f"The run has more than {MOST:,} items, whose titles are not encoded for this comparison."
            return
        table = file.read(columns=["id", "text"])
        self._ids, self._titles = table["id"].to_pylist(), table["text"].to_pylist()
        blocks = []
        for start in range(0, len(self._titles), BLOCK):
            if self._stopped.is_set():
                return
            blocks.append(unit(self._questions.encode(self._titles[start : start + BLOCK])))
            self._done = start + len(blocks[-1])
        self._vectors_LD = np.concatenate(blocks)
