"""Recipes that differ from one by one coordinate, along which a choice is searched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from recsys.core.bonus import Bonus
from recsys.model.recipe import Recipe

ALPHAS = (0.5, 1.0, 2.0, 4.0, 8.0, 32.0)
EVIDENCES = (0.0, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
BONUSES = (0.0, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.1, 0.15, 0.2, 0.25, 0.3)
POPULARITIES = (0.0, 0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.08)
ANCHORS = (0.25, 0.5, 1.0, 2.0)
BORROWED = (0.5, 1.0)
VOTES = (0.25, 0.5, 1.0, 2.0, 4.0)


def alphas(of: Recipe) -> Iterator[Recipe]:
    """Yield ``of`` with each α."""
    return (replace(of, composition=replace(of.composition, alpha=alpha)) for alpha in ALPHAS)


def evidences(of: Recipe) -> Iterator[Recipe]:
    """Yield it with each c."""
    return (replace(of, composition=replace(of.composition, evidence=evidence)) for evidence in EVIDENCES)


def along_the_ridge(of: Recipe) -> Recipe:
    """Return it with a larger α and c: an item with few queries sees α/c alone, so that good pairs lie on a line."""
    how = of.composition
    return replace(of, composition=replace(how, alpha=4 * how.alpha, evidence=10 * how.evidence))


def around(of: Recipe) -> Iterator[Recipe]:
    """Yield it with α, c and γ together: what one of them costs rare items another may give back."""
    for alpha, evidence, popular in product(ALPHAS[:4], sorted({0.0, of.composition.evidence}), POPULARITIES[2::2]):
        how = replace(of.composition, alpha=alpha, evidence=evidence)
        yield replace(of, composition=how, bonus=replace(of.bonus, popular=popular))


def with_residual(of: Recipe) -> Iterator[Recipe]:
    """Yield it with a residual and each α, 0 too."""
    learnt = replace(of, composition=replace(of.composition, residual=True))
    yield replace(learnt, composition=replace(learnt.composition, alpha=0.0))
    yield from alphas(learnt)


def with_anchors(of: Recipe) -> Iterator[Recipe]:
    """Yield it with each δ."""
    return (replace(of, composition=replace(of.composition, anchors=weight)) for weight in ANCHORS)


def borrowings(of: Recipe) -> Iterator[Recipe]:
    """Yield it with each ρ, and with c and β that suit: what items borrow counts by c, and does what β is there for."""
    how = replace(of.composition, alpha=of.composition.alpha or 1.0)
    for borrowed, evidence, new in product(BORROWED, sorted({1.0, 10.0, how.evidence}), sorted({0.0, of.bonus.new})):
        borrowing = replace(how, borrowed=borrowed, evidence=evidence)
        yield replace(of, composition=borrowing, bonus=replace(of.bonus, new=new))


def populars(of: Recipe) -> Iterator[Recipe]:
    """Yield it with each γ."""
    return (replace(of, bonus=replace(of.bonus, popular=popular)) for popular in POPULARITIES)


def news(of: Recipe) -> Iterator[Recipe]:
    """Yield it with each β."""
    return (replace(of, bonus=replace(of.bonus, new=bonus)) for bonus in BONUSES)


def bonuses(of: Recipe) -> Iterator[Recipe]:
    """Yield it with β and γ near its own, both together: what γ takes from new items β gives back."""
    populars, news = POPULARITIES.index(of.bonus.popular), BONUSES.index(of.bonus.new)
    near = POPULARITIES[max(0, populars - 1) : populars + 2], BONUSES[max(0, news - 2) : news + 3]
    for popular, new in product(*near):
        yield replace(of, bonus=Bonus(new, popular))


def weights(of: Recipe) -> Iterator[Recipe]:
    """Yield it with each w of votes."""
    return (replace(of, votes=weight) for weight in VOTES)


def with_prototypes(of: Recipe, most: int) -> Iterator[Recipe]:
    """Yield it with an eighth, half and all of the ``most`` prototypes of an item; none where that is 0."""
    return (replace(of, prototypes=k) for k in sorted({-(-most // 8), -(-most // 2), most}) if k)
