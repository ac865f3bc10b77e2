"""Weights λ of the graph terms, one per relation and side: fixed, annealed, or found by a bandit while training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

Schedule = Literal["fixed", "annealed", "bandit"]

WINDOW = 20
"Steps that a bandit holds its weights for, and between entries in the history."


class GraphWeights:
    """The same fixed weight for every term.

    Args:
        weight: λ, 0 or more.
        names: Terms, as "RELATION side"; weights of others are the same, but not logged.
    """

    def __init__(self, weight: float, names: Sequence[str] = ()) -> None:
        self.start = weight
        self.weight_of = dict.fromkeys(names, weight)

    def of(self, relation: str, side: str) -> float:
        """Return λ of a term at the present step."""
        return self.weight_of.get(f"{relation} {side}", self.start)

    def at(self, step: int, steps: int) -> bool:
        """Make ready for ``step`` of ``steps``, and return whether the weights belong into the history now."""
        return False

    def observe(self, hits: int, of: int) -> None:
        """Hear how many queries of a batch had their clicked item on top."""

    @property
    def watches(self) -> bool:
        """Whether :meth:`observe` is of any use, so that it need not be counted in vain."""
        return False

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint must keep."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a :meth:`state`."""


class AnnealedWeights(GraphWeights):
    """λ · (1 − step/steps): the graph shapes the start, and clicks alone decide at the end."""

    def at(self, step: int, steps: int) -> bool:
        """Make ready for ``step`` of ``steps``."""
        self.weight_of = dict.fromkeys(self.weight_of, self.start * (1 - step / steps))
        return step % WINDOW == 0


class BanditWeights(GraphWeights):
    """Each weight is drawn around a mean that moves to where more queries have their clicked item on top.

    Per weight w ~ Normal(μ, 0.1), not below 0, held for a window. Then, with the reward r the share of the window's
    queries whose nearest item of the batch is the clicked one, and b the moving average of earlier rewards (0.8),

        μ += 0.01 · clip((r − b) · (w − μ) / 0.1², −1, 1),  not below 0.

    RAMEN (arXiv 2402.18434) prints the learning rate 0.01 only. That a weight may fall to 0 is ours: a relation that
    does not help is switched off.

    Args:
        weight: μ at the start.
        names: Terms, as "RELATION side".
        seed: Seed of the draws; each window's depends on its number alone.
    """

    SPREAD = 0.1
    RATE = 0.01
    MEMORY = 0.8

    def __init__(self, weight: float, names: Sequence[str], seed: int) -> None:
        super().__init__(weight, names)
        self.mean_of = dict.fromkeys(names, weight)
        self.seed = seed
        self.baseline: float | None = None
        self.hits = self.seen = 0

    @property
    def watches(self) -> bool:
        """Always: rewards are what it learns from."""
        return True

    def at(self, step: int, steps: int) -> bool:
        """Make ready for ``step``: at the first of a window learn from the last one and draw again."""
        if step % WINDOW:
            return False
        if self.seen:
            self.learn(self.hits / self.seen)
        self.hits = self.seen = 0
        drawn = np.random.default_rng([self.seed, step]).normal(list(self.mean_of.values()), self.SPREAD)
        self.weight_of = dict(zip(self.mean_of, drawn.clip(min=0).tolist(), strict=True))
        return True

    def observe(self, hits: int, of: int) -> None:
        """Count what the window's reward is made of."""
        self.hits += hits
        self.seen += of

    def learn(self, reward: float) -> None:
        """Move every mean towards its weight if the window was better than those before, away if it was worse."""
        if self.baseline is None:
            self.baseline = reward
        for name, weight in self.weight_of.items():
            step = (reward - self.baseline) * (weight - self.mean_of[name]) / self.SPREAD**2
            self.mean_of[name] = max(0.0, self.mean_of[name] + self.RATE * min(1.0, max(-1.0, step)))
        self.baseline = self.MEMORY * self.baseline + (1 - self.MEMORY) * reward

    def state(self) -> dict[str, Any]:
        """Return means, weights, the average reward and the counts of the present window."""
        return {name: getattr(self, name) for name in ("mean_of", "weight_of", "baseline", "hits", "seen")}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a :meth:`state`."""
        vars(self).update(state)


def make_weights(schedule: Schedule, weight: float, names: Sequence[str], seed: int) -> GraphWeights:
    """Return the weights that the settings ask for.

    Args:
        schedule: How λ changes.
        weight: λ at the start.
        names: Terms, as "RELATION side".
        seed: Of the bandit's draws.
    """
    if schedule == "bandit":
        return BanditWeights(weight, names, seed)
    return AnnealedWeights(weight, names) if schedule == "annealed" else GraphWeights(weight, names)
