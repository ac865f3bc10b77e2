"""Compares recipes on held-out queries; their similarities are computed once for all recipes of a call.

Only the first places of the gold items are found, which takes no sort. Items with few clicks are ranked twice, as they
are and as if nobody had clicked them: new items are as rare among held-out clicks as they are frequent in catalogues,
and a choice must not hang on the few.

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

from recsys.core.bonus import widen_queries
from recsys.core.prototypes import Prototypes
from recsys.model.composed import Composed
from recsys.model.composition import Composition, Vectors, unit, weights_of_means, widened
from recsys.model.held_out import Encoded, HeldOut
from recsys.model.marks import Marks, in_slices, marks_of
from recsys.model.metrics import RECALL_CUTOFFS, best_gains, evaluate_ranking
from recsys.model.precision import quick_products
from recsys.model.query_side import QuerySide
from recsys.model.ranking import BLOCK_SCORES, top_k
from recsys.model.ranks import first_ranks, ranks_instead
from recsys.model.recipe import Recipe
from recsys.model.votes import rank_with_votes

Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

RANKS = max(RECALL_CUTOFFS)


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
        self.side = side or QuerySide(held_out, encoded)
        self.asked_QD = self.side.asked_QD
        self._new_LD = encoded.items if new_LD is None else new_LD
        self._composed = Composed(encoded.items, self.side, held_out.degree, encoded.scratch)
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
        ordered = sorted(set(recipes), key=lambda recipe: (astuple(recipe.composition), recipe.prototypes))
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
        scores = torch.from_numpy(scores_BL)
        excluded = self._excluded(block)
        gold = self.held_out.gold
        first, last = gold.indptr[block.start], gold.indptr[block.stop]
        position_G, item_G = gold.positions[first:last] - block.start, gold.indices[first:last]
        by_composition = [(how, [*group]) for how, group in groupby(ordered, lambda recipe: recipe.composition)]
        few = np.flatnonzero(in_slices(self.held_out.degree[item_G])["tail"])
        similar = self._composed.similar(block, [how for how, _ in by_composition], torch.from_numpy(composed_BL))
        for (composition, group), composed in zip(by_composition, similar, strict=True):
            raised = 0
            new_F = self._similar_if_new(position_G[few] + block.start, item_G[few], composition)
            for recipe in group:
                if beside is not None and recipe.prototypes > raised:
                    layers, items_LD = range(raised, recipe.prototypes), self._composed.vectors(composition)
                    beside.raise_scores(composed.numpy(), self.asked_QD[block], items_LD, layers)
                    raised = recipe.prototypes
                bonus_L = recipe.bonus.of_items(self.held_out.degree).astype(np.float32)
                torch.add(composed, torch.from_numpy(bonus_L), out=scores)
                if recipe.votes:
                    self.side.votes.add_to(scores_BL, block.start, recipe.votes)
                scores_BL[excluded] = -np.inf
                rank_G = first_ranks(scores_BL, position_G, item_G)
                as_new_G = rank_G.copy()
                as_new_G[few] = ranks_instead(scores_BL, position_G[few], item_G[few], new_F + recipe.bonus.new)
                yield recipe, (rank_G, as_new_G)

    def _similar_if_new(self, asked_F: Rows, item_F: Rows, how: Composition) -> Vectors:
        """Return the similarities of pairs if nobody had clicked their items."""
        new_FD = self._new_LD[item_F]
        if how.borrowed:
            _, left = weights_of_means(np.zeros(1, np.int64), how)
            new_FD = unit(new_FD + left.astype(np.float32) * self.side.borrowed[item_F])
        similarity_F: Vectors = np.einsum("fd,fd->f", self.asked_QD[asked_F], new_FD)
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
