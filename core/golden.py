"""Golden queries: held-out queries that a run carries, with what they clicked, to be judged by before it goes live.

Shape letters: B queries, D width of a query ready for a single search.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

Vectors = npt.NDArray[np.float32]
Ids = Sequence[str]

FILE: Final = "golden.parquet"
CUTOFF: Final = 10
"Results per query that are judged."


@dataclass(frozen=True)
class Golden:
    """Held-out queries.

    Attributes:
        texts: What was asked; B of them.
        items: Ids of the clicked items of each, one or more.
        excluded: Ids that are not counted as results of each: its own page, and clicks that training knew.
        vectors: Of the texts under the run's encoder, ready for a single search, shape (B, D); zero where no word is
            known.
    """

    texts: Sequence[str]
    items: Sequence[Ids]
    excluded: Sequence[Ids]
    vectors: Vectors

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def depth(self) -> int:
        """Results to ask for, so that :data:`CUTOFF` are left without the excluded ones."""
        return CUTOFF + max(map(len, self.excluded), default=0)


def write_golden(directory: Path, golden: Golden) -> None:
    """Write ``golden.parquet``: columns ``text``, ``items``, ``excluded`` and ``vector`` (float32 list)."""
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(golden.vectors.ravel(), pa.float32()), golden.vectors.shape[1])
    columns = {
        "text": pa.array(golden.texts, pa.string()),
        "items": pa.array(golden.items, pa.list_(pa.string())),
        "excluded": pa.array(golden.excluded, pa.list_(pa.string())),
        "vector": vectors,
    }
    pq.write_table(pa.table(columns), directory / FILE)


def read_golden(directory: Path) -> Golden | None:
    """Read what :func:`write_golden` wrote to a run directory; None where the run has no golden queries."""
    if not (directory / FILE).is_file():
        return None
    table = pq.read_table(directory / FILE).combine_chunks()
    width = table.schema.field("vector").type.list_size
    vectors = table["vector"].combine_chunks().flatten().to_numpy().reshape(-1, width).astype(np.float32, copy=False)
    texts, items, excluded = (table[name].to_pylist() for name in ("text", "items", "excluded"))
    return Golden(texts, items, excluded, vectors)


def counted(found: Ids, excluded: Collection[str]) -> Ids:
    """Return the first :data:`CUTOFF` results that are not excluded."""
    return [id_ for id_ in found if id_ not in excluded][:CUTOFF]


def golden_figures(found: Sequence[Ids], golden: Golden) -> dict[str, float]:
    """Return ``P@1`` and ``R@10`` in percent: how often a clicked item comes first, what share of them is in the ten.

    Args:
        found: Ids of the results of each query, best first, :attr:`Golden.depth` of them; none where nothing matched.
        golden: The queries.
    """
    first, recalled = 0.0, 0.0
    for results, items, excluded in zip(found, golden.items, golden.excluded, strict=True):
        best, clicked = counted(results, excluded), set(items)
        first += bool(best) and best[0] in clicked
        recalled += len(clicked.intersection(best)) / len(clicked)
    return {"P@1": 100 * first / len(golden), "R@10": 100 * recalled / len(golden)}
