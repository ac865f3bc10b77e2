"""``recsys explain`` as a user meets it."""

from __future__ import annotations

import pytest

from recsys.core.scoring import Scoring


@pytest.fixture
def published(shop, recsys):
    """A shop with one run with votes published."""
    run = shop.run("a", scoring=Scoring(votes=0.6))
    assert recsys("publish", shop=shop).code == 0
    return run


def test_shares_add_up_to_the_score_of_recommend(published, shop, recsys):
    """Programs get every reason; their shares are the score that `recommend` prints."""
    hit = recsys("recommend", "--query-id", "query-7", "-k", "1", "--json", shop=shop).json()["results"][0]["hits"][0]
    found = recsys("explain", "query-7", hit["id"], "--by-id", "--no-graph", "--json", shop=shop).json()
    assert found["score"] == pytest.approx(hit["score"], abs=1e-5)
    assert sum(reason["share"] for reason in found["reasons"]) == pytest.approx(hit["score"], abs=1e-5)
    assert (found["query_id"], found["title"], found["run"]) == ("query-7", hit["title"], published.name)


def test_people_get_a_table(published, shop, recsys):
    """Query, item and score, then a line for each reason; a text without a known word has none."""
    lines = recsys("explain", "oak table", "item-3", "--no-graph", shop=shop).out.splitlines()
    assert lines[0] == "query  oak table (unknown to the run)"
    assert lines[1].startswith("item   item-3  ")
    header = lines.index("share    why")
    assert lines[header + 1].startswith(("+", "-"))
    assert "score  none" in recsys("explain", "xyzzy", "item-3", "--no-graph", shop=shop).out


def test_an_unknown_item_names_close_ones(published, shop, recsys):
    """Nothing is explained that is not there."""
    done = recsys("explain", "red", "itm-3", "--no-graph", shop=shop)
    assert done.code == 1
    assert "'item-3'" in done.err
