"""How the live collection is asked the golden queries of a run that is to take its place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from qdrant_client import QdrantClient

from recsys.core.golden import Golden
from recsys.core.run import Run, Vectors
from recsys.serving.encoder import EncoderMismatchError
from recsys.serving.lineage import Lineage, read_lineage
from recsys.serving.questions import Questions
from recsys.serving.recommendation import LiveRunMissingError


@dataclass(frozen=True)
class LiveAnswers:
    """A live collection that can be asked.

    Attributes:
        collection: Its name.
        vectors: Of the golden queries under its own encoder, ready for a single search of it.
        many: Its points have several vectors.
    """

    collection: str
    vectors: Vectors
    many: bool


@dataclass(frozen=True)
class NotComparable:
    """Why the live collection cannot be asked.

    Attributes:
        reason: In words.
    """

    reason: str


def answers_of_live(client: QdrantClient, run: Run, golden: Golden, live: str | None) -> LiveAnswers | NotComparable:
    """Bring the golden queries into the vectors of the live collection.

    Where the live collection has the run's own encoder the vectors are at hand. Otherwise its run directory has to be
    beside that of ``run``: what it knows is looked up, the rest is encoded by its encoder.

    Args:
        client: Qdrant.
        run: Run that would go live.
        golden: Its golden queries.
        live: Live collection; None where there is none.
    """
    if live is None:
        return NotComparable("nothing is live yet")
    lineage = read_lineage(client, live)
    if lineage is None:
        return NotComparable(f"recsys did not publish the live collection {live}")
    manifest, many = run.manifest, lineage.how.prototypes > 0
    if lineage.encoder_hash == manifest["encoder_hash"]:
        return LiveAnswers(live, _as_there(golden.vectors, run, lineage), many)
    try:
        vectors, _ = Questions(live, lineage, run.path.parent).vectors(golden.texts)
    except LiveRunMissingError:
        return NotComparable(f"the run {lineage.run} behind the live collection is not in {run.path.parent}")
    except EncoderMismatchError:
        return NotComparable(f"the encoder in {run.path.parent / lineage.run} did not make the live collection")
    return LiveAnswers(live, np.stack(vectors), many)


def _as_there(vectors: Vectors, run: Run, lineage: Lineage) -> Vectors:
    narrow = vectors[:, : vectors.shape[1] - run.scoring.extra]
    return lineage.how.ready(narrow, lineage.how.one)
