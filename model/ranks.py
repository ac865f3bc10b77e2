"""Where the items of given pairs stand among all items of their query, as far as the first few places go.

Shape letters: B queries, G pairs, K places, L items.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

Rows = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float32]

PLACES = 10
"Places that are told apart."


def first_ranks(scores_BL: Scores, position_G: Rows, item_G: Rows) -> Rows:
    """Return the rank, from 0, of each pair's item among all of its query; :data:`PLACES` for all later ones.

    Of equal scores the lower row comes first, and −inf has no place. Every row is looked through once for its best,
    and again only where an item is as good as the last of these.

    Args:
        scores_BL: Scores of every item.
        position_G: Query position of each pair.
        item_G: Item row of each pair.
    """
    own_G = scores_BL[position_G, item_G]
    best = torch.from_numpy(scores_BL).topk(min(PLACES, scores_BL.shape[1]), dim=1)
    best_GK, row_GK = best.values.numpy()[position_G], best.indices.numpy()[position_G]
    ahead_GK = (best_GK > own_G[:, None]) | ((best_GK == own_G[:, None]) & (row_GK < item_G[:, None]))
    rank_G = ahead_GK.sum(axis=1)
    for pair in np.flatnonzero(own_G == best_GK[:, -1]):
        scores_L, item = scores_BL[position_G[pair]], item_G[pair]
        rank_G[pair] = np.count_nonzero(scores_L > own_G[pair]) + np.count_nonzero(scores_L[:item] == own_G[pair])
    none = (own_G < best_GK[:, -1]) | (own_G == -np.inf)
    ranks: Rows = np.where(none, PLACES, np.minimum(rank_G, PLACES)).astype(np.int64)
    return ranks
