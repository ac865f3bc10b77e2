"""Compares recipes on held-out queries; their similarities are computed once for all recipes of a call.

The similarity to a composed vector is a combination of two: (E(x)·E(z) + a · E(x)·mean) / |E(z) + a · mean|. Only the
first places of the gold items are found, which takes no sort.

Shape letters: B queries of a block, D embedding width, G gold pairs, L items, Q held-out queries.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from itertools import groupby

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from recsys.core.bonus import widen_queries
from recsys.core.prototypes import Prototypes
from recsys.model.composition import Composition, Vectors, compose, shares_of_queries, widened
from recsys.model.held_out import Encoded, HeldOut
from recsys.model.marks import Marks, marks_of
from recsys.model.metrics import RECALL_CUTOFFS, best_gains, evaluate_ranking
from recsys.model.precision import quick_products
from recsys.model.query_side import QuerySide
from recsys.model.ranking import BLOCK_SCORES, top_k
from recsys.model.ranks import first_ranks
from recsys.model.recipe import Recipe
from recsys.model.similarities import Similarities
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
    """

    def __init__(
        self, held_out: HeldOut, encoded: Encoded, *, often: bool = False, side: QuerySide | None = None
    ) -> None:
        self.held_out = held_out
        self.encoded = encoded
        self.side = side or QuerySide(held_out, encoded)
        self.mean_LD, self.asked_QD = self.side.mean_LD, self.side.asked_QD
        self._own_L = np.einsum("ld,ld->l", encoded.items, encoded.items)
        self._cross_L = np.einsum("ld,ld->l", encoded.items, self.mean_LD)
        self._mean_L = np.einsum("ld,ld->l", self.mean_LD, self.mean_LD)
        self._composed_LD: dict[Composition, Vectors] = {}
        self._scales: dict[Composition, tuple[Tensor, Tensor]] = {}
        self._similarities = self._similar_sides(keep=False)
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
            self._similarities = self._similar_sides(keep=True)
        ordered = sorted(set(recipes), key=lambda r: (r.composition.alpha, r.composition.evidence, r.prototypes))
        beside = self.side.prototypes(max(recipe.prototypes for recipe in ordered))
        ranks: dict[Recipe, list[Rows]] = {recipe: [] for recipe in ordered}
        size = max(1, BLOCK_SCORES // max(len(self.encoded.items), 1))
        self._scales = {}
        # arrays of a block are made once: made anew for every block they leave holes in memory, which grows by them
        composed_BL, scores_BL = np.empty((2, size, len(self.encoded.items)), np.float32)
        for start in range(0, len(self.asked_QD), size):
            block = slice(start, min(start + size, len(self.asked_QD)))
            rooms = composed_BL[: block.stop - start], scores_BL[: block.stop - start]
            for recipe, rank_G in self._ranks_of_block(block, ordered, beside, *rooms):
                ranks[recipe].append(rank_G)
        return {recipe: self._marks(np.concatenate(parts)) for recipe, parts in ranks.items()}

    def figures(self, recipe: Recipe) -> dict[str, float]:
        """Return every metric, in percent, of the vectors that would serve."""
        data = self.held_out
        items_LD = widened(self._vectors(recipe.composition), data.degree, self.encoded.scratch)
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
    ) -> Iterator[tuple[Recipe, Rows]]:
        scores = torch.from_numpy(scores_BL)
        excluded = self._excluded(block)
        gold = self.held_out.gold
        first, last = gold.indptr[block.start], gold.indptr[block.stop]
        position_G, item_G = gold.positions[first:last] - block.start, gold.indices[first:last]
        by_composition = [(how, [*group]) for how, group in groupby(ordered, lambda recipe: recipe.composition)]
        similar = self._similar(block, [how for how, _ in by_composition], torch.from_numpy(composed_BL))
        for (composition, group), composed in zip(by_composition, similar, strict=True):
            raised = 0
            for recipe in group:
                if beside is not None and recipe.prototypes > raised:
                    layers = range(raised, recipe.prototypes)
                    beside.raise_scores(composed.numpy(), self.asked_QD[block], self._vectors(composition), layers)
                    raised = recipe.prototypes
                bonus_L = recipe.bonus.of_items(self.held_out.degree).astype(np.float32)
                torch.add(composed, torch.from_numpy(bonus_L), out=scores)
                if recipe.votes:
                    self.side.votes.add_to(scores_BL, block.start, recipe.votes)
                scores_BL[excluded] = -np.inf
                yield recipe, first_ranks(scores_BL, position_G, item_G)

    def _similar_sides(self, *, keep: bool) -> Similarities:
        sides = (self.encoded.items, self.mean_LD)
        return Similarities(self.asked_QD, sides, self.encoded.scratch, keep=keep)

    def _vectors(self, how: Composition) -> Vectors:
        if how not in self._composed_LD:
            encoded, degree_L = self.encoded, self.held_out.degree
            self._composed_LD = {how: compose(encoded.items, self.mean_LD, degree_L, how, encoded.scratch)}
        return self._composed_LD[how]

    def _similar(self, block: slice, hows: Sequence[Composition], out: Tensor) -> Iterator[Tensor]:
        if len(hows) == 1 and not self._similarities.are_kept:  # one product in place of two
            asked, items = torch.from_numpy(self.asked_QD[block]), torch.from_numpy(self._vectors(hows[0]))
            yield torch.matmul(asked, items.T, out=out)
            return
        title, mean = self._similarities.of(block)
        for how in hows:
            yield self._composed(title, mean, how, out)

    def _composed(self, title: Tensor, mean: Tensor, how: Composition, out: Tensor) -> Tensor:
        if how not in self._scales:
            self._scales[how] = self._scale(how)
        scale, pulled = self._scales[how]
        return torch.mul(title, scale, out=out).addcmul_(mean, pulled)

    def _scale(self, how: Composition) -> tuple[Tensor, Tensor]:
        """Return what the similarities to title and mean are multiplied with."""
        weight_L = how.alpha * shares_of_queries(self.held_out.degree, how)
        norm_L = np.sqrt(np.maximum(self._own_L + 2 * weight_L * self._cross_L + weight_L**2 * self._mean_L, 0))
        scales_2L: Vectors = self.encoded.scratch.zeros((2, len(norm_L)), np.float32)
        scales_2L[0] = np.where(norm_L > 0, 1 / np.where(norm_L > 0, norm_L, 1), 0)
        scales_2L[1] = weight_L * scales_2L[0]
        scale, pulled = torch.from_numpy(scales_2L)
        return scale, pulled

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

    def _marks(self, rank_G: Rows) -> Marks:
        data = self.held_out
        degree_G = data.degree[data.gold.indices]
        return marks_of(rank_G, data.gold, data.counted, degree_G, self._gain, self._attainable)
