"""Where the items of given pairs stand among all items of their query, as far as the first few places go.

What items of a kind get alike is added when its first items are known, so that these are found once for all such
bonuses.

Shape letters: B queries, G pairs, K first items, L items.
"""

from __future__ import annotations

from collections.abc import Sequence

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


class Leaders:
    """The first items of every query.

    Args:
        scores_BL: Scores of some items; −inf for what is never ranked.
        row_L: Rows of these items.
    """

    def __init__(self, scores_BL: Scores, row_L: Rows) -> None:
        self.scores_BL, self.row_L = scores_BL, row_L
        # one more than there are places, since a pair's own item is none of those ahead of it
        self.score_BK, place_BK = _best(torch.from_numpy(scores_BL), min(PLACES + 1, scores_BL.shape[1]))
        self.row_BK: Rows = row_L[place_BK]
        # others may be as high as the last that is told, and none is higher
        self.least_B: Scores = self.score_BK.min(axis=1, initial=np.inf)


def ranks(leaders: Sequence[tuple[Leaders, float]], position_G: Rows, item_G: Rows, score_G: Scores) -> Rows:
    """Return the rank, from 0, of each pair's item among the others, of equal scores the lower row first.

    Args:
        leaders: Of items of different kinds, with what all scores of a kind get on top.
        position_G: Query position of each pair.
        item_G: Item row of each pair.
        score_G: Its score, whatever it has among those of all items; −inf has no place.

    Returns:
        Ranks; :data:`PLACES` for all later ones.
    """
    kinds = [(kind, np.float32(bonus)) for kind, bonus in leaders]
    score_BK = np.concatenate([kind.score_BK + bonus for kind, bonus in kinds], axis=1)
    row_BK = np.concatenate([kind.row_BK for kind, _ in kinds], axis=1)
    rank_G = _ahead(score_BK[position_G], row_BK[position_G], score_G[:, None], item_G[:, None]).sum(axis=1)
    least_G = np.stack([(kind.least_B + bonus)[position_G] for kind, bonus in kinds])
    for pair in np.flatnonzero((rank_G < PLACES) & (least_G == score_G).any(axis=0)):
        pairs = position_G[pair], score_G[pair], item_G[pair]
        rank_G[pair] = sum(_all_ahead(kind, bonus, *pairs) for kind, bonus in kinds)
    found: Rows = np.where(score_G == -np.inf, PLACES, np.minimum(rank_G, PLACES)).astype(np.int64)
    return found


def _all_ahead(kind: Leaders, bonus: np.float32, query: int, own: float, item: int) -> int:
    """Count the items of a kind that are ahead, beyond those that are told."""
    return int(np.count_nonzero(_ahead(kind.scores_BL[query] + bonus, kind.row_L, own, item)))


def _ahead(score: Scores, row: Rows, own: Scores | float, item: Rows | int) -> npt.NDArray[np.bool_]:
    """Say which items are ahead of a pair's own, which is none of them."""
    ahead: npt.NDArray[np.bool_] = ((score > own) | ((score == own) & (row < item))) & (row != item)
    return ahead


def _best(scores_BL: Tensor, k: int) -> tuple[Scores, Rows]:
    """Return the ``k`` highest scores of each row and their columns; ``topk`` of whole rows takes twice as long.

    None of them lies outside the ``k`` groups whose highest scores are the highest.
    """
    groups = scores_BL.shape[1] // GROUP
    if groups <= k:
        best_BK, column_BK = torch.topk(scores_BL, k, dim=1)
        return best_BK.numpy(), column_BK.numpy()
    end = groups * GROUP
    group_BK = scores_BL[:, :end].reshape(-1, groups, GROUP).amax(dim=2).topk(k, dim=1, sorted=False).indices
    inside = (group_BK[:, :, None] * GROUP + torch.arange(GROUP)).flatten(1)
    column = torch.cat([inside, torch.arange(end, scores_BL.shape[1]).expand(len(scores_BL), -1)], dim=1)
    best_BK, place_BK = scores_BL.gather(1, column).topk(k, dim=1)
    return best_BK.numpy(), column.gather(1, place_BK).numpy()
