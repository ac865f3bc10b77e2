"""Where the items of given pairs stand among all items of their query, as far as the first few places go.

Shape letters: B queries, G pairs, K places, L items.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Rows = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float32]

PLACES = 10
"Places that are told apart."
GROUP = 32
"Neighbouring columns whose highest score is looked at before they are."


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
    best_BK, row_BK = _best(torch.from_numpy(scores_BL), min(PLACES, scores_BL.shape[1]))
    best_GK, row_GK = best_BK.numpy()[position_G], row_BK.numpy()[position_G]
    ahead_GK = (best_GK > own_G[:, None]) | ((best_GK == own_G[:, None]) & (row_GK < item_G[:, None]))
    rank_G = ahead_GK.sum(axis=1)
    for pair in np.flatnonzero(own_G == best_GK[:, -1]):
        scores_L, item = scores_BL[position_G[pair]], item_G[pair]
        rank_G[pair] = np.count_nonzero(scores_L > own_G[pair]) + np.count_nonzero(scores_L[:item] == own_G[pair])
    none = (own_G < best_GK[:, -1]) | (own_G == -np.inf)
    ranks: Rows = np.where(none, PLACES, np.minimum(rank_G, PLACES)).astype(np.int64)
    return ranks


def ranks_instead(scores_BL: Scores, position_G: Rows, item_G: Rows, score_G: Scores) -> Rows:
    """Return the ranks that pairs would have with other scores of their own, as :func:`first_ranks` does.

    Args:
        scores_BL: Scores of every item; −inf stays.
        position_G: Query position of each pair.
        item_G: Item row of each pair.
        score_G: Its score in place of that in ``scores_BL``.
    """
    row, place_G = np.unique(position_G, return_inverse=True)
    some_BL = scores_BL[row]
    own_G = some_BL[place_G, item_G]
    some_BL[place_G, item_G] = np.where(own_G > -np.inf, score_G, -np.inf)
    return first_ranks(some_BL, place_G, item_G)


def _best(scores_BL: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Return the ``k`` highest scores of each row and their columns; ``topk`` of whole rows takes twice as long.

    None of them lies outside the ``k`` groups whose highest scores are the highest.
    """
    groups = scores_BL.shape[1] // GROUP
    if groups <= k:
        return torch.topk(scores_BL, k, dim=1)
    end = groups * GROUP
    group_BK = scores_BL[:, :end].reshape(-1, groups, GROUP).amax(dim=2).topk(k, dim=1, sorted=False).indices
    inside = (group_BK[:, :, None] * GROUP + torch.arange(GROUP)).flatten(1)
    column = torch.cat([inside, torch.arange(end, scores_BL.shape[1]).expand(len(scores_BL), -1)], dim=1)
    best_BK, place_BK = scores_BL.gather(1, column).topk(k, dim=1)
    return best_BK, column.gather(1, place_BK)
