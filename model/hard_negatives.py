"""Hard negatives by nearest neighbours, found anew every few epochs (ANCE, arXiv 2007.00808).

Shape letters: T training queries, K near items kept per query, L items, D embedding width.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from sentence_transformers import SentenceTransformer

from recsys.graph.schema import Label
from recsys.model.clicks import Clicks
from recsys.model.composition import Composition, Vectors, compose, mean_of_queries
from recsys.model.encode_rows import encode_rows
from recsys.model.features import Features
from recsys.model.kept import kept, last_turn
from recsys.model.nearest import Near
from recsys.model.nearest_clicked import KnownPairs, nearest_clicked
from recsys.model.pairs import PairsByQuery
from recsys.model.scratch import Scratch

Rows = npt.NDArray[np.int64]


class HardNegatives:
    """For every training query the nearest items that it did not click, as the encoder sees them.

    They are looked for at the start of every ``every``-th epoch, from the first on, and kept in ``directory``: a
    training that goes on inside such an epoch has later weights, and must draw from what was found then. Of several
    processes the first one looks, and the others wait for what it finds.

    Args:
        model: The encoder in training.
        features: Its inputs by row.
        clicks: Clicks of the training queries.
        excluded: Pairs that are no negatives, clicked or not.
        composition: How items are composed to be compared.
        every: Epochs between searches, 1 or more.
        directory: Of the training in progress.
        batch_size: Texts encoded at once.
        seed: Of the search.
    """

    def __init__(
        self,
        model: SentenceTransformer,
        features: Features,
        clicks: Clicks,
        excluded: PairsByQuery,
        composition: Composition,
        *,
        every: int,
        directory: Path,
        batch_size: int,
        seed: int,
    ) -> None:
        self._model = model
        self._features = features
        self._clicks = clicks
        self._excluded = excluded
        self._composition = composition
        self._every = every
        self._directory = directory
        self._batch_size = batch_size
        self._seed = seed
        self._scratch = Scratch(directory)
        self._query_T = clicks.queries
        _, self._degree_L = clicks.per_item()
        self._near_TK = np.empty((len(self._query_T), 0), dtype=np.int32)

    def start(self, epoch: int) -> None:
        """Make ready for ``epoch``: look for near items if it is its turn and they are not kept already."""
        self._near_TK = kept(self._directory / f"hard-negatives-{last_turn(epoch, 0, self._every)}.npy", self._search)

    def draw(self, query_B: Rows, rng: np.random.Generator) -> Rows:
        """Draw one near item for each of these training queries, as :func:`draw_near` does."""
        return draw_near(self._near_TK[np.searchsorted(self._query_T, query_B)], self._degree_L, rng)

    def _search(self) -> Near:
        scratch = self._scratch
        asked = self._encode("Query", self._query_T)
        items = self._encode("Item", np.arange(self._clicks.n_items))
        mean = mean_of_queries(asked, self._clicks.numbered(), scratch)
        items = compose(items, mean, self._degree_L, self._composition, scratch)
        known = KnownPairs.of(self._clicks, self._excluded)
        return nearest_clicked(asked, items, self._degree_L, known, self._model.device, self._seed, scratch)

    def _encode(self, label: Label, rows: Rows) -> Vectors:
        return encode_rows(self._model, self._features, label, rows, self._batch_size, self._scratch)


def draw_near(near_BK: npt.NDArray[np.int32], degree_L: Rows, rng: np.random.Generator) -> Rows:
    """Draw one near item per query, each as often as training queries clicked it.

    Drawn uniformly, rare items would be pushed away far more often than their few clicks pull them near: an item that
    nobody clicked would only ever be a negative. Within a batch, too, items are negatives as often as they are clicked.

    Args:
        near_BK: Items by query, −1 where fewer are left.
        degree_L: Distinct training queries that clicked each item.
        rng: Used once per query, in order.

    Returns:
        Item rows, of as many queries as have any that was clicked.
    """
    reach_BK = np.cumsum(np.where(near_BK >= 0, degree_L[near_BK], 0), axis=1)
    total_B = reach_BK[:, -1]
    pick_B = (reach_BK <= (rng.random(len(near_BK)) * total_B)[:, None]).sum(axis=1)
    drawn_B = np.take_along_axis(near_BK, np.minimum(pick_B, near_BK.shape[1] - 1)[:, None], axis=1)[:, 0]
    return np.asarray(drawn_B[total_B > 0], dtype=np.int64)
