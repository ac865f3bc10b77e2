"""The items nearest to each training query that it did not click, exact and block by block.

Shape letters: T training queries, K near items kept per query, L items, D embedding width.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from recsys.model.clicks import Clicks
from recsys.model.composition import Vectors
from recsys.model.pairs import PairsByQuery
from recsys.model.precision import has_bfloat16
from recsys.model.ranking import BLOCK_SCORES
from recsys.model.scratch import MEMORY, Scratch, pieces

Rows = npt.NDArray[np.int64]
Near = npt.NDArray[np.int32]
LeftOut = Callable[[slice], tuple[Rows, Rows]]
"Of a slice of the queries returns places in it and items: the pairs that are left out."

NEAREST = 20
"Near items kept per query; each batch draws one of them."
COLUMNS = 1 << 16
"Items that are compared at once, so that many queries share one pass over a large catalogue."


@dataclass(frozen=True)
class KnownPairs:
    """What are no negatives of training queries: their clicks, and what is excluded.

    Attributes:
        query_T: The queries, ascending rows.
        clicked: Their clicks.
        excluded: Further pairs.
    """

    query_T: Rows
    clicked: PairsByQuery
    excluded: PairsByQuery

    @classmethod
    def of(cls, query_T: Rows, clicks: Clicks, excluded: PairsByQuery) -> KnownPairs:
        """Return those of ``clicks`` and ``excluded``."""
        return cls(query_T, PairsByQuery(clicks.query, clicks.item), excluded)

    def __call__(self, some: slice) -> tuple[Rows, Rows]:
        """Return places in ``query_T[some]``, and items."""
        query = self.query_T[some]
        edges = [pairs.edges_of(query) for pairs in (self.clicked, self.excluded)]
        position = np.searchsorted(query, np.concatenate([each.source for each in edges]))
        return position, np.concatenate([each.target for each in edges])


def nearest_clicked(
    queries_TD: Vectors,
    items_LD: Vectors,
    degree_L: Rows,
    known: LeftOut,
    device: torch.device,
    scratch: Scratch = MEMORY,
) -> Near:
    """Return the :data:`NEAREST` items per query of those that somebody clicked, since no other is ever drawn.

    Args:
        queries_TD: Query vectors.
        items_LD: Item vectors.
        degree_L: Distinct training queries that clicked each item.
        known: Pairs that are left out.
        device: Where to multiply.
        scratch: Where the result lives.

    Returns:
        Item rows, −1 where fewer are left; shape (T, K).
    """
    clicked = np.flatnonzero(degree_L)

    def left_out(some: slice) -> tuple[Rows, Rows]:
        position, item = known(some)
        inside = degree_L[item] > 0
        return position[inside], np.searchsorted(clicked, item[inside])

    among = scratch.by_rows((len(clicked), items_LD.shape[1]), lambda some: items_LD[clicked[some]])
    near_TK = nearest(queries_TD, among, left_out, NEAREST, device, scratch)
    for some in pieces(len(near_TK)):
        near_TK[some] = np.where(near_TK[some] >= 0, clicked[near_TK[some]], -1)
    return near_TK


def nearest(
    queries_TD: Vectors, items_LD: Vectors, left_out: LeftOut, k: int, device: torch.device, scratch: Scratch = MEMORY
) -> Near:
    """Return the ``k`` items of highest dot product per query, the nearest first.

    In bfloat16 where the device has it, and then items that are equally near to three digits come in any order.

    Args:
        queries_TD: Query vectors.
        items_LD: Item vectors.
        left_out: Pairs that are no answer.
        k: Items wanted per query.
        device: Where to multiply.
        scratch: Where the result lives.

    Returns:
        Item rows, −1 where fewer are left; shape (T, min(k, L)).
    """
    kind = torch.bfloat16 if has_bfloat16(device) else torch.float32
    items = _moved(items_LD, device, kind, scratch)
    k = min(k, len(items))
    near_TK: Near = scratch.zeros((len(queries_TD), k), np.int32)
    size = max(1, BLOCK_SCORES // min(len(items), COLUMNS))
    for start in range(0, len(queries_TD), size):
        some = slice(start, min(start + size, len(queries_TD)))
        asked = torch.from_numpy(queries_TD[some]).to(device, kind)
        score, row = _best(asked, items, *left_out(some), k)
        near_TK[some] = row.masked_fill_(score == -torch.inf, -1).cpu().numpy()
    return near_TK


def _moved(items_LD: Vectors, device: torch.device, kind: torch.dtype, scratch: Scratch) -> torch.Tensor:
    """Return the items on ``device``; those that stay on the CPU with half the bits live where ``scratch`` says."""
    if device.type != "cpu" or kind == torch.float32:
        return torch.from_numpy(items_LD).to(device, kind)
    moved = torch.from_numpy(scratch.zeros(items_LD.shape, np.int16)).view(kind)
    for some in pieces(len(items_LD)):
        moved[some] = torch.from_numpy(items_LD[some])
    return moved


def _best(
    asked: torch.Tensor, items: torch.Tensor, position: Rows, item: Rows, k: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the ``k`` highest scores of each query, −inf for what is left out, and their rows."""
    found = []
    for first in range(0, len(items), COLUMNS):
        part = items[first : first + COLUMNS]
        scores = asked @ part.T
        inside = (item >= first) & (item < first + len(part))
        scores[torch.from_numpy(position[inside]), torch.from_numpy(item[inside] - first)] = -torch.inf
        score, row = scores.topk(min(k, len(part)), dim=1)
        found.append((score, row + first))
    if len(found) == 1:
        return found[0]
    every, rows = (torch.cat(side, dim=1) for side in zip(*found, strict=True))
    score, place = every.topk(k, dim=1)
    return score, rows.gather(1, place)
