"""How hits are listed: pages, limits per group, diversity."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.core.scoring import Scoring
from recsys.serving.listing import BadListingError, Listing, PerGroup, varied, within_groups
from recsys.serving.only import EVERYTHING, Condition, Only
from recsys.serving.publish import publish
from recsys.serving.recommend import Recommender
from recsys.serving.search import Scored

BOTH = Scoring(bonus=0.1, votes=0.6, votes_bonus=0.4)
GROUPS = st.lists(st.lists(st.sampled_from("abc"), max_size=2, unique=True), max_size=30)


@pytest.fixture(params=[Scoring(), BOTH], ids=["plain", "votes"])
def live(shop, request):
    """A recommender on one published run, with and without votes."""
    run = shop.run("a", scoring=request.param)
    with shop.connect() as client:
        publish(client, run, shop.alias, embedded=shop.embedded)
        yield Recommender(client, shop.alias, shop.runs)


def brand(hit):
    """Return the brand of an item, which follows from its row."""
    return int(hit.id.removeprefix("item-")) % 3


def greedy(items, most):
    """Return the items that a walk down the whole ranking keeps."""
    kept, seen = [], Counter()
    for item in items:
        if all(seen[group] < most for group in item.groups):
            kept.append(item)
            seen.update(item.groups)
    return kept


@given(GROUPS, st.integers(1, 3), st.integers(1, 8))
def test_a_limit_per_group_keeps_what_a_walk_down_the_ranking_keeps(groups, most, needed):
    """Whatever the groups, of which an item may have several or none, and whatever is asked for in one go."""
    items = [Scored(row, -float(row), str(row), "", tuple(has)) for row, has in enumerate(groups)]
    asked = []

    def find(k, only):
        asked.append(k)
        allowed = [item for item in items if only.allows({"id": item.id, "group": list(item.groups)})]
        return allowed[:k]

    found = within_groups(find, needed, PerGroup("group", most), EVERYTHING)
    assert found == greedy(items, most)[:needed]
    assert len(asked) <= 4  # one for each group that is full, and one more


def test_diversity_follows_the_formula():
    """With d = 0.5 and relevance in parts of the best: a, then c (0.4 − 0) before b (0.45 − 0.5 · 0.96), by hand."""
    items = [Scored(row, score, id_, "") for row, (id_, score) in enumerate([("a", 2.0), ("b", 1.8), ("c", 1.6)])]
    vectors = [np.array(v, np.float32) for v in ([1, 0], [0.96, 0.28], [0, 1])]
    assert [item.id for item in varied(items, vectors, 0.5)] == ["a", "c", "b"]
    assert [item.id for item in varied(items, vectors, 0.0)] == ["a", "b", "c"]
    assert [item.id for item in varied(items, vectors, 1.0)] == ["a", "c", "b"]
    assert varied([], [], 0.5) == []


@pytest.mark.parametrize(
    "listing",
    [Listing(), Listing(diversity=0.6), Listing(per_group=PerGroup("brand", 4))],
    ids=["plain", "mmr", "group"],
)
def test_pages_are_one_list(live, listing):
    """Page after page gives the whole list with its ranks, once each; after its end comes nothing."""
    whole = live.by_text(["oak table"], 40, listing=listing)[0].hits
    pages = [
        live.by_text(["oak table"], 7, listing=Listing(offset, listing.diversity, listing.per_group))[0].hits
        for offset in range(0, 49, 7)
    ]
    paged = [hit for page in pages for hit in page]
    assert [(hit.rank, hit.id) for hit in paged] == [(hit.rank, hit.id) for hit in whole]
    np.testing.assert_allclose([hit.score for hit in paged], [hit.score for hit in whole], atol=1e-6)
    assert [hit.rank for hit in whole] == [*range(1, len(whole) + 1)]
    assert len(whole) == (12 if listing.per_group else 40)


def test_a_limit_per_group_holds_for_every_way_to_ask(live):
    """The full ranking without what is above the limit, narrowed or not."""
    listing, only = Listing(per_group=PerGroup("brand", 2)), Only([Condition("clicks", ">=", 10)], ["item-13"])
    for ask in (
        lambda **how: live.by_text(["oak table"], 5, **how)[0],
        lambda **how: live.by_query_id("query-7", 5, **how),
        lambda **how: live.by_items(["item-3", "item-10"], ["item-5"], 5, **how),
        lambda **how: live.by_history(["oak"], ["query-7"], ["item-3"], 5, **how),
    ):
        hits = ask(only=only, listing=listing).hits
        assert max(Counter(map(brand, hits)).values()) == 2
        assert all(int(hit.id.removeprefix("item-")) >= 10 and hit.id != "item-13" for hit in hits)
        seen: Counter[int] = Counter()
        everything = ask(only=only, listing=Listing(per_group=PerGroup("nothing", 1)))
        assert len(everything.hits) == 5  # no item has the column, so none is left out
        for hit in everything.hits:
            seen[brand(hit)] += 1
            assert (hit.id in [h.id for h in hits]) == (seen[brand(hit)] <= 2)


def test_diverse_hits_are_less_alike(live):
    """The best one stays first, and the first five are less alike than without."""
    vectors = live.questions.run.items().vectors[:, :8]

    def alike(diversity):
        hits = live.by_text(["oak table"], 5, listing=Listing(diversity=diversity))[0].hits
        rows = [int(hit.id.removeprefix("item-")) for hit in hits]
        return rows[0], float((vectors[rows] @ vectors[rows].T).mean())

    (first, plain), (still, diverse) = alike(0.0), alike(0.8)
    assert first == still
    assert diverse < plain


@pytest.mark.parametrize(
    "make",
    [
        lambda: Listing(offset=-1),
        lambda: Listing(diversity=1.1),
        lambda: PerGroup("brand", 0),
        lambda: PerGroup.parse("brand"),
        lambda: PerGroup.parse("brand=x"),
    ],
)
def test_what_makes_no_sense_is_refused(make):
    """Numbers out of range and limits that cannot be read."""
    with pytest.raises(BadListingError, match="has to be"):
        make()
