"""Chooses the golden queries of a run from its held-out queries, and measures them on the vectors that will serve."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from recsys.core.golden import Golden, golden_figures
from recsys.core.prototypes import Prototypes
from recsys.core.run import Vectors
from recsys.core.scoring import Scoring
from recsys.model.held_out import Encoded, HeldOut, Rows
from recsys.model.ranking import top_k

LIMIT = 1000
"Golden queries of a run, at most."


def choose_golden(held_out: HeldOut, encoded: Encoded, scoring: Scoring, limit: int = LIMIT) -> Golden | None:
    """Return held-out queries, evenly spread over all of them, or None where there are none.

    Args:
        held_out: Queries with what they clicked.
        encoded: Vectors of the finished encoder.
        scoring: How the vectors are to be searched.
        limit: Queries at most.
    """
    able = np.flatnonzero(held_out.counted_gold.sizes)
    if not len(able):
        return None
    chosen = able[np.unique(np.linspace(0, len(able) - 1, limit).astype(np.int64))]
    vectors = held_out.vectors(encoded)[chosen]
    ids = held_out.texts["Item"].ids()
    gold, (at, rows) = held_out.gold, held_out.excluded
    return Golden(
        texts=_texts(held_out, chosen),
        items=[[ids[row].as_py() for row in gold.indices[gold.indptr[b] : gold.indptr[b + 1]]] for b in chosen],
        excluded=[[ids[row].as_py() for row in rows[at == b]] for b in chosen],
        vectors=scoring.ready(vectors, scoring.one),
    )


def measure_golden(
    golden: Golden, item_ids: pa.ChunkedArray, item_vectors: Vectors, prototypes: Prototypes | None = None
) -> dict[str, Any]:
    """Return the number of golden queries and their figures by exact search of the vectors that serve.

    Composed vectors know the clicks of held-out queries, so these figures are above those of the training; they are for
    comparison with the same queries in Qdrant, before and after.

    Args:
        golden: Of the run.
        item_ids: Of all items.
        item_vectors: As they will be published.
        prototypes: What will be published beside them.
    """
    ranked = top_k(golden.vectors, item_vectors, min(golden.depth, len(item_ids)), prototypes=prototypes)
    found = [item_ids.take(pa.array(rows[rows >= 0])).to_pylist() for rows in ranked]
    return {"queries": len(golden), **golden_figures(found, golden)}


def _texts(held_out: HeldOut, chosen: Rows) -> list[str]:
    if held_out.asked_texts:
        return [held_out.asked_texts[position] for position in chosen]
    return held_out.texts["Query"].take(held_out.rows[chosen])
