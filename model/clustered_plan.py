"""The plan of NGAME (arXiv 2207.04452): batches of queries that the encoder finds alike are full of hard negatives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from recsys.model.clusters import balanced_clusters
from recsys.model.composition import Vectors
from recsys.model.kept import kept, last_turn
from recsys.model.plan import Rows, UniformPlan

WARM_UP = 10
"Epochs of uniform batches, until vectors mean something."
REFRESH = 5
"Epochs between clusterings."
FIRST_SIZE = 2
"Queries per cluster at first."
DOUBLING = 25
"Epochs after which clusters are twice as large."


class ClusteredPlan(UniformPlan):
    """Every row once per epoch; after the warm-up cluster after cluster.

    Clusters are found anew every few epochs and kept in ``directory``, so that a training that goes on has the batches
    that it had. Their order, and that of the rows within, is drawn from (seed, epoch).

    Args:
        rows: Query rows to train on.
        batch_size: Rows per batch; the last batch of an epoch may be shorter.
        seed: Seed of order and clusters.
        encode: Returns the present vectors of ``rows``.
        directory: Of the training in progress.
    """

    def __init__(
        self, rows: Rows, batch_size: int, seed: int, encode: Callable[[Rows], Vectors], directory: Path
    ) -> None:
        super().__init__(rows, batch_size, seed)
        self._encode = encode
        self._directory = directory

    def order(self, epoch: int) -> Rows:
        """Return the rows of ``epoch`` in their order; the first time after a refresh is due, it is done."""
        if epoch < WARM_UP:
            return super().order(epoch)
        turn = last_turn(epoch, WARM_UP, REFRESH)
        cluster_N = kept(self._directory / f"clusters-{turn}.npy", lambda: self._clusters(turn))
        rng = np.random.default_rng([self.seed, epoch])
        shuffled_N = rng.permutation(len(self.rows))
        place = rng.permutation(int(cluster_N.max()) + 1)
        return self.rows[shuffled_N[np.argsort(place[cluster_N[shuffled_N]], kind="stable")]]

    def _clusters(self, epoch: int) -> Rows:
        rng = np.random.default_rng([self.seed, epoch])
        return balanced_clusters(self._encode(self.rows), cluster_size(epoch), rng)


def cluster_size(epoch: int) -> int:
    """Return the queries per cluster of a clustering at ``epoch``: 2, and twice as many every 25 epochs."""
    return int(FIRST_SIZE * 2 ** ((epoch - WARM_UP) // DOUBLING))
