"""Compares recipes on held-out queries; their similarities are computed once for all recipes of a call.

Only the first places of the gold items are found, which takes no sort, and once for all recipes that differ in β alone.

Shape letters: B queries of a block, D embedding width, G gold pairs, L items, Q held-out queries.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import astuple
from functools import cached_property
from itertools import groupby

import numpy as np
import numpy.typing as npt
import torch

from recsys.core.bonus import Bonus, widen_queries
from recsys.core.prototypes import Prototypes
from recsys.model.block_pairs import BlockPairs
from recsys.model.composed import Composed
from recsys.model.composition import Composition, Vectors, unit, weights_of_means, widened
from recsys.model.held_out import Encoded, HeldOut
from recsys.model.marks import Marks, marks_of
from recsys.model.metrics import RECALL_CUTOFFS, best_gains, evaluate_ranking
from recsys.model.precision import quick_products
from recsys.model.query_side import QuerySide
from recsys.model.ranking import BLOCK_SCORES, top_k
from recsys.model.ranks import Leaders
from recsys.model.recipe import Recipe
from recsys.model.votes import rank_with_votes

Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

RANKS = max(RECALL_CUTOFFS)


def _but_for_new(recipe: Recipe) -> tuple[int, float, float]:
    """Return what recipes of one composition differ in other than β."""
    return recipe.prototypes, recipe.votes, recipe.bonus.popular


class Trials:
    """Scores recipes on held-out queries; degrees, means and votes know the training clicks alone.

    Args:
        held_out: What to measure on.
        encoded: Vectors of all items and queries.
        often: Recipes are measured call after call, so that similarities are worth keeping from the second call on.
        side: Of the queries, where there is one already.
        new_LD: Vectors of items that nobody clicked, where those of ``encoded`` owe something to clicks.
    """

    def __init__(
        self,
        held_out: HeldOut,
        encoded: Encoded,
        *,
        often: bool = False,
        side: QuerySide | None = None,
        new_LD: Vectors | None = None,
    ) -> None:
        self.held_out = held_out
        self.encoded = encoded
        self.side = side or QuerySide(held_out, encoded, often=often)
        self.asked_QD = self.side.asked_QD
        self._new_LD = encoded.items if new_LD is None else new_LD
        self._composed = Composed(encoded.items, self.side, held_out.degree, encoded.scratch)
        self._rows, self._new_N = np.arange(len(encoded.items)), torch.from_numpy(np.flatnonzero(held_out.degree == 0))
        self._often = often
        self._calls = 0

    @cached_property
    def _gain(self) -> Floats:
        """1/p of each gold item."""
        gain: Floats = 1 / self.held_out.propensity[self.held_out.gold.indices]
        return gain

    @cached_property
    def _attainable(self) -> float:
        """What the best five items of every counted query would gain."""
        return float(best_gains(1 / self.held_out.propensity, self.held_out.counted_gold, 5).sum())

    @quick_products()
    def measure(self, recipes: Collection[Recipe]) -> dict[Recipe, Marks]:
        """Return the marks of each recipe."""
        if not recipes:
            return {}
        self._calls += 1
        if self._often and self._calls == 2:
            self._composed.start(keep=True)
        ordered = sorted(set(recipes), key=lambda recipe: (astuple(recipe.composition), _but_for_new(recipe)))
        beside = self.side.prototypes(max(recipe.prototypes for recipe in ordered))
        ranks: dict[Recipe, list[tuple[Rows, Rows]]] = {recipe: [] for recipe in ordered}
        size = max(1, BLOCK_SCORES // max(len(self.encoded.items), 1))
        # arrays of a block are made once: made anew for every block they leave holes in memory, which grows by them
        composed_BL, scores_BL = np.empty((2, size, len(self.encoded.items)), np.float32)
        for start in range(0, len(self.asked_QD), size):
            block = slice(start, min(start + size, len(self.asked_QD)))
            rooms = composed_BL[: block.stop - start], scores_BL[: block.stop - start]
            for recipe, found in self._ranks_of_block(block, ordered, beside, *rooms):
                ranks[recipe].append(found)
        return {recipe: self._marks(*map(np.concatenate, zip(*found, strict=True))) for recipe, found in ranks.items()}

    def figures(self, recipe: Recipe) -> dict[str, float]:
        """Return every metric, in percent, of the vectors that would serve."""
        data = self.held_out
        items_LD = widened(self._composed.vectors(recipe.composition), data.degree, self.encoded.scratch)
        asked_QD = widen_queries(self.asked_QD, recipe.bonus)
        if recipe.votes:
            ranked = rank_with_votes(
                asked_QD, items_LD, RANKS, excluded=data.excluded, votes=self.side.votes, weight=recipe.votes
            )
        else:
            beside = self.side.prototypes(recipe.prototypes)
            ranked = top_k(asked_QD, items_LD, RANKS, excluded=data.excluded, prototypes=beside)
        return evaluate_ranking(ranked, data.counted_gold, propensity_L=data.propensity)

    def _ranks_of_block(
        self,
        block: slice,
        ordered: Sequence[Recipe],
        beside: Prototypes | None,
        composed_BL: Vectors,
        scores_BL: Vectors,
    ) -> Iterator[tuple[Recipe, tuple[Rows, Rows]]]:
        """Yield what recipes reach, those that differ in β alone by the same first items."""
        scores, excluded = torch.from_numpy(scores_BL), self._excluded(block)
        pairs = BlockPairs.of(block, self.held_out.gold, self.held_out.degree)
        by_composition = [(how, [*group]) for how, group in groupby(ordered, lambda recipe: recipe.composition)]
        similar = self._composed.similar(block, [how for how, _ in by_composition], torch.from_numpy(composed_BL))
        for (composition, group), composed in zip(by_composition, similar, strict=True):
            new_F = self._similar_if_new(pairs, block, composition)
            composed[excluded] = -np.inf
            new = Leaders(torch.index_select(composed, 1, self._new_N).numpy(), self._new_N.numpy())
            raised = 0
            for (prototypes, votes, popular), same in groupby(group, _but_for_new):
                if beside is not None and prototypes > raised:
                    layers, items_LD = range(raised, prototypes), self._composed.vectors(composition)
                    beside.raise_scores(composed_BL, self.asked_QD[block], items_LD, layers)
                    composed[excluded] = -np.inf
                    raised = prototypes
                bonus_L = Bonus(-np.inf, popular).of_items(self.held_out.degree).astype(np.float32)
                torch.add(composed, torch.from_numpy(bonus_L), out=scores)
                if votes:
                    self.side.votes.add_to(scores_BL, block.start, votes)
                clicked = Leaders(scores_BL, self._rows)
                own_G = np.where(pairs.new_G, composed_BL[pairs.all], scores_BL[pairs.all])
                for recipe in same:
                    yield recipe, pairs.ranks(clicked, new, own_G, new_F, recipe.bonus.new)

    def _similar_if_new(self, pairs: BlockPairs, block: slice, how: Composition) -> Vectors:
        """Return the similarities of pairs of the tail if nobody had clicked their items."""
        position_F, item_F = pairs.tail
        new_FD = self._new_LD[item_F]
        if how.borrowed:
            _, left = weights_of_means(np.zeros(1, np.int64), how)
            new_FD = unit(new_FD + left.astype(np.float32) * self.side.borrowed[item_F])
        similarity_F: Vectors = np.einsum("fd,fd->f", self.asked_QD[block][position_F], new_FD)
        return similarity_F

    def _excluded(self, block: slice) -> tuple[Rows, Rows]:
        """Return what is never ranked: a query's own page, and everything for a zero vector."""
        positions, items = self.held_out.excluded
        inside = (positions >= block.start) & (positions < block.stop)
        blank = np.flatnonzero(~self.asked_QD[block].any(axis=1))
        n_items = len(self.encoded.items)
        return (
            np.concatenate([positions[inside] - block.start, np.repeat(blank, n_items)]),
            np.concatenate([items[inside], np.tile(np.arange(n_items), len(blank))]),
        )

    def _marks(self, rank_G: Rows, as_new_G: Rows) -> Marks:
        data = self.held_out
        degree_G = data.degree[data.gold.indices]
        return marks_of(rank_G, as_new_G, data.gold, data.counted, degree_G, self._gain, self._attainable)
