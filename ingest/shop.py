"""The invented shop: items, what they share with each other, and how popular each is.

Items are numbered in order of popularity; the last ones are new and have not been clicked yet. Popularity is a
shifted power law (Zipf-Mandelbrot): of N items, the one at rank r draws clicks in proportion to (r/N + c)⁻².
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.ingest.shop_words import BRAND_PARTS, COLOURS, DEPARTMENTS, KINDS, SERIES, SIZES

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

CLICKS_PER_ITEM = 30
NEW_SHARE = 0.05
SHIFT = 0.01
"c of the power law: the smaller, the more clicks go to the first items."
ITEMS_PER_STRUCTURE = 3
MOST_BRANDS = 4000


def generator(seed: int, *stream: int) -> np.random.Generator:
    """Return the generator of one stream of random numbers; streams of one seed are independent of each other."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=stream))


@dataclass(frozen=True, eq=False)
class Groups:
    """Items that have something in common.

    Attributes:
        of_item: Group of each item, shape (items,).
        members: Clicked items, group after group.
        reach: Popularity summed up to and with each member, shape (members,).
        before: ``reach`` where each group begins, shape (groups,).
        mass: Popularity of the group's members, shape (groups,); 0 where all its items are new.
    """

    of_item: Ints
    members: Ints
    reach: Floats
    before: Floats
    mass: Floats

    @classmethod
    def by(cls, popularity: Floats, *keys: Ints) -> Groups:
        """Group items that agree in all ``keys``; the first ones, those of known ``popularity``, become members."""
        joint = np.zeros_like(keys[0])
        for key in keys:
            joint = joint * (key.max() + 1) + key
        of_item: Ints = np.unique(joint, return_inverse=True)[1]
        of_member = of_item[: len(popularity)]
        members = np.argsort(of_member, kind="stable")
        mass: Any = np.bincount(of_member, weights=popularity, minlength=int(of_item.max()) + 1)
        ends = np.cumsum(np.bincount(of_member, minlength=len(mass)))
        reach = np.cumsum(popularity[members])
        return cls(of_item, members, reach, np.append(0, reach)[np.append(0, ends[:-1])], mass)

    def pick(self, items: Ints, rng: np.random.Generator) -> Ints:
        """Draw for each of ``items`` one of its group by popularity; itself where all of the group are new."""
        group = self.of_item[items]
        aim = self.before[group] + self.mass[group] * rng.random(len(items))
        place = np.minimum(np.searchsorted(self.reach, aim, side="right"), len(self.members) - 1)
        return np.where(self.mass[group] > 0, self.members[place], items)


@dataclass(frozen=True, eq=False)
class Shop:
    """All items by rank; arrays have the shape (items,).

    Attributes:
        kind: Index into ``KINDS``; ``department`` follows from it.
        material: Index into ``MATERIALS``.
        use: Index into ``USES``.
        brand: Index into ``brands``.
        colour: Index into ``COLOURS``; like ``series`` and ``size`` it only tells items of one structure apart.
        number: What the item id is made from, a permutation of 0 … items - 1.
        price: In whole cents.
        brands: Names.
        listed: How many items have been in the shop during the click log; the others are new.
    """

    kind: Ints
    department: Ints
    material: Ints
    use: Ints
    brand: Ints
    colour: Ints
    series: Ints
    size: Ints
    number: Ints
    price: Ints
    brands: tuple[str, ...]
    listed: int

    @property
    def items(self) -> int:
        """Number of items."""
        return len(self.kind)

    @property
    def popularity(self) -> Floats:
        """How clicks go to listed items, relative to each other, shape (listed,)."""
        return (np.arange(self.listed) / self.listed + SHIFT) ** -2

    def ranks(self, chance: Floats) -> Ints:
        """Turn uniform numbers in [0, 1) into listed items, by the inverse of the power law's distribution."""
        norm = 1 / SHIFT - 1 / (1 + SHIFT)
        place = 1 / (1 / SHIFT - chance * norm) - SHIFT
        return np.minimum((place * self.listed).astype(np.int64), self.listed - 1)


def build_shop(clicks: int, seed: int) -> Shop:
    """Invent a shop whose size suits a log of ``clicks`` clicks.

    Every structure (kind, material, use, brand) is shared by two items or more, so that nothing a shopper can say
    points to one item alone.
    """
    rng = generator(seed, 0)
    count = max(clicks // CLICKS_PER_ITEM, 8)
    brands = _brand_names(rng, min(max(int(1.2 * count**0.5), 16), MOST_BRANDS))
    distinct = count // ITEMS_PER_STRUCTURE
    structures = _structures(rng, distinct, len(brands))
    twice = np.tile(np.arange(distinct), 2)
    chosen = rng.permutation(np.concatenate([twice, rng.integers(0, distinct, count - len(twice))]))
    columns = {name: values[chosen] for name, values in structures.items()}
    base = rng.lognormal(3.3, 0.9, len(KINDS))
    return Shop(
        **columns,
        colour=rng.integers(0, len(COLOURS), count),
        series=rng.integers(0, len(SERIES), count),
        size=rng.integers(0, len(SIZES), count),
        number=rng.permutation(count),
        price=(100 * base[columns["kind"]] * rng.lognormal(0, 0.3, count)).astype(np.int64) + 99,
        brands=brands,
        listed=count - max(1, round(count * NEW_SHARE)),
    )


def _structures(rng: np.random.Generator, count: int, brands: int) -> dict[str, Any]:
    """Draw kinds, then what goes with each: materials and uses of its department, brands active in its world."""
    weights = 1 / (rng.permutation(len(KINDS)) + 20)
    kind = rng.choice(len(KINDS), count, p=weights / weights.sum())
    department = np.array([k.department for k in KINDS])[kind]
    materials = np.array([d.materials for d in DEPARTMENTS])
    uses = np.array([d.uses for d in DEPARTMENTS])
    world = department // 3
    active = (brands + 2 - world) // 3
    return {
        "kind": kind,
        "department": department,
        "material": materials[department, rng.integers(0, materials.shape[1], count)],
        "use": uses[department, rng.integers(0, uses.shape[1], count)],
        "brand": (active * rng.random(count) ** 1.5).astype(np.int64) * 3 + world,
    }


def _brand_names(rng: np.random.Generator, count: int) -> tuple[str, ...]:
    first, middle, last = BRAND_PARTS
    chosen = rng.choice(len(first) * len(middle) * len(last), count, replace=False)
    return tuple(
        first[i % len(first)] + middle[i // len(first) % len(middle)] + last[i // len(first) // len(middle)]
        for i in chosen.tolist()
    )
