"""Sessions of the invented shop's visitors.

A visitor has an item in mind, says some of what it is, and clicks it, another that fits what was said, or something
else by mistake. Later events of a session ask again, for the same or for something close.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from recsys.ingest.shop import Groups, Ints, Shop
from recsys.ingest.shop_queries import BRAND, KIND, MATERIAL, SAID_SHARES, SLOTS, USE, Phrases

LONGEST_SESSION = 8
END_PROBABILITY = 0.4
"Chance that a session ends after an event."
AGAIN_SHARE = 0.35
"Later events of a session that click a second item under the same query."
OTHER_SHARE = 0.3
"Clicks on another item that fits what was said."
COMPARING = 0.3
"Exponent of popularity among items of one structure: who compares looks at lesser known ones as well."
MISCLICK_SHARE = 0.05
"Clicks on any item of the department."
RANDOM_SHARE = 0.02
"Clicks on any item at all."
DRIFT_SHARES: Final = (0.55, 0.2, 0.15, 0.1)
"What later events are about: the same need, the same kind, the same use in the department, something new."

Bools = npt.NDArray[np.bool_]
Needs = Callable[[np.random.Generator, int], Ints]
"Draws what so many visitors have in mind: items."


def popular_needs(shop: Shop) -> Needs:
    """Return needs that follow popularity and leave out new items, as in the click log."""
    return lambda rng, count: shop.ranks(rng.random(count))


def later_needs(shop: Shop) -> Needs:
    """Return needs of a later week: two fifths popular, two fifths any listed item, a fifth new items."""

    def draw(rng: np.random.Generator, count: int) -> Ints:
        rare = rng.integers(0, shop.listed, count)
        new = rng.integers(shop.listed, shop.items, count)
        return np.choose(rng.choice(3, count, p=(0.4, 0.4, 0.2)), (shop.ranks(rng.random(count)), rare, new))

    return draw


@dataclass(frozen=True)
class Events:
    """Clicks in the order of their sessions; arrays have the shape (n,), ``phrases`` (n, SLOTS)."""

    session: Ints
    phrases: Ints
    item: Ints

    def keep(self, rows: Any) -> Events:
        """Return the given rows: a mask, a slice or row numbers."""
        return Events(self.session[rows], self.phrases[rows], self.item[rows])

    @classmethod
    def join(cls, parts: Sequence[Events]) -> Events:
        """Return the events of all ``parts``, one part after the other."""
        columns = ([getattr(part, name) for part in parts] for name in ("session", "phrases", "item"))
        return cls(*map(np.concatenate, columns))


class Visitors:
    """Draws sessions in a shop.

    Args:
        shop: The items.
        phrases: The language.
    """

    def __init__(self, shop: Shop, phrases: Phrases) -> None:
        self._phrases = phrases
        self._about = np.stack([shop.brand, shop.material, shop.kind, shop.use], axis=1)
        self._listed = shop.listed

        def groups(*keys: Ints) -> Groups:
            return Groups.by(shop.popularity, *keys)

        self._department = groups(shop.department)
        self._company = groups(shop.department, shop.use)
        self._kind = groups(shop.kind)
        self._by_detail = {
            MATERIAL: groups(shop.kind, shop.material),
            USE: groups(shop.kind, shop.use),
            BRAND: groups(shop.kind, shop.brand),
        }
        self._structure = Groups.by(shop.popularity**COMPARING, shop.kind, shop.material, shop.use, shop.brand)

    def draw(self, rng: np.random.Generator, sessions: int, needs: Needs) -> Events:
        """Draw so many sessions of 1 to LONGEST_SESSION clicks, numbered from 0."""
        lengths = np.minimum(rng.geometric(END_PROBABILITY, sessions), LONGEST_SESSION)
        session = np.repeat(np.arange(sessions), lengths)
        opens = np.append(True, session[1:] != session[:-1])
        target = self._drift(needs(rng, sessions)[session], opens, rng, needs)
        said = rng.random((len(session), SLOTS)) < np.array(SAID_SHARES)
        said[:, (BRAND, USE)] |= ~said[:, [KIND]]
        phrases = self._phrases.say(self._about[target], said, rng)
        again = ~opens & (rng.random(len(session)) < AGAIN_SHARE)
        asked = np.maximum.accumulate(np.where(again, 0, np.arange(len(session))))
        return Events(session, phrases[asked], self._click(target[asked], said[asked], again, rng))

    def _drift(self, need: Ints, opens: Bools, rng: np.random.Generator, needs: Needs) -> Ints:
        drift = np.where(opens, 0, rng.choice(4, len(need), p=DRIFT_SHARES))
        target = need.copy()
        for way, groups in ((1, self._kind), (2, self._company)):
            target[drift == way] = groups.pick(need[drift == way], rng)
        target[drift == 3] = needs(rng, int((drift == 3).sum()))
        return target

    def _click(self, target: Ints, said: Bools, again: Bools, rng: np.random.Generator) -> Ints:
        clicked = target.copy()
        other = again | (rng.random(len(target)) < OTHER_SHARE)
        clicked[other] = self._fitting(target[other], said[other], rng)
        mistaken = rng.random(len(target)) < MISCLICK_SHARE
        clicked[mistaken] = self._department.pick(target[mistaken], rng)
        stray = rng.random(len(target)) < RANDOM_SHARE
        clicked[stray] = rng.integers(0, self._listed, int(stray.sum()))
        return clicked

    def _fitting(self, target: Ints, said: Bools, rng: np.random.Generator) -> Ints:
        """Draw items that agree with ``target`` in the kind and the one detail said, or in all when two are."""
        details = said[:, tuple(self._by_detail)].sum(axis=1)
        fitting = self._kind.pick(target, rng)
        for slot, groups in self._by_detail.items():
            rows = said[:, slot] & (details == 1)
            fitting[rows] = groups.pick(target[rows], rng)
        fitting[details > 1] = self._structure.pick(target[details > 1], rng)
        return fitting
