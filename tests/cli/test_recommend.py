"""``recsys recommend`` as a user meets it."""

from __future__ import annotations

import pytest


@pytest.fixture
def published(shop, recsys):
    """A shop with one run published."""
    run = shop.run("a")
    assert recsys("publish", shop=shop).code == 0
    return run


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("red", "--item", "item-1"),
        ("--query-id", "q", "--item", "i"),
        ("red", "-k", "0"),
        ("red", "--not-like", "item-1"),
        ("red", "--filter", "brand"),
        ("red", "--filter", "last_seen>=soon"),
        ("--history",),
        ("red", "--history", "--item", "item-1", "--not-like", "item-2"),
        ("red", "--per-group", "brand"),
        ("red", "--diversity", "2"),
        ("red", "--offset", "-1"),
    ],
)
def test_exactly_one_question_is_asked(recsys, arguments):
    """No form, two forms and a k of 0 are wrong usage, before Qdrant is opened."""
    assert recsys("recommend", *arguments).code == 2


def test_several_texts_get_a_block_each(published, shop, recsys):
    """A block per text with a table; a text of unknown words says that nothing matched."""
    done = recsys("recommend", "red lamp", "xyzzy", "-k", "3", shop=shop)
    first, second = done.out.strip().split("\n\n")
    assert first.splitlines()[0] == "text: red lamp"
    assert first.splitlines()[1].split() == ["rank", "score", "id", "title"]
    assert len(first.splitlines()) == 5
    assert "nothing matched" in second


def test_json_carries_the_lineage(published, shop, recsys):
    """Programs get alias, collection, the run that made it and the hits; a known text is marked."""
    answer = recsys("recommend", published.queries().texts[2].upper(), "--json", "-k", "2", shop=shop).json()
    assert (answer["alias"], answer["collection"]) == (shop.alias, published.name)
    assert answer["lineage"]["encoder_hash"] == published.manifest["encoder_hash"]
    (result,) = answer["results"]
    assert result["known"] is True
    assert [hit["rank"] for hit in result["hits"]] == [1, 2]
    assert {"rank", "score", "id", "title"} == result["hits"][0].keys()


def test_queries_and_items_are_asked_for_by_id(published, shop, recsys):
    """Both forms answer, and leave the item itself out."""
    assert recsys("recommend", "--query-id", "query-1", shop=shop).out.startswith("query: query-1\n")
    near = recsys("recommend", "--item", "item-1", "-k", "50", "--json", shop=shop).json()["results"][0]["hits"]
    assert len(near) == 39
    assert "item-1" not in [hit["id"] for hit in near]


def test_hits_are_narrowed(published, shop, recsys):
    """Filters hold together, excluded items are left out, and disliked ones push away."""
    filters = ("--filter", "brand=b1", "--filter", "clicks>=10", "--exclude", "item-13", "-k", "50", "--json")
    hits = recsys("recommend", "red", *filters, shop=shop).json()["results"][0]["hits"]
    assert {hit["id"] for hit in hits} == {f"item-{row}" for row in range(10, 40, 3) if row != 13}
    liked = recsys("recommend", "--item", "item-1", "--item", "item-2", "--not-like", "item-3", "-k", "50", shop=shop)
    assert liked.out.startswith("like item: item-1, item-2\n")
    assert len(liked.out.splitlines()) == 2 + 37
    assert recsys("recommend", "red", "--filter", "brand=x", shop=shop).out.endswith("no item fits\n")


def test_hits_are_listed_as_wished(published, shop, recsys):
    """Pages, a limit per group and diversity; several query ids get a block each."""
    whole = recsys("recommend", "red", "-k", "6", "--json", shop=shop).json()["results"][0]["hits"]
    page = recsys("recommend", "red", "-k", "2", "--offset", "4", "--json", shop=shop).json()["results"][0]["hits"]
    assert page == whole[4:]
    grouped = recsys("recommend", "red", "--per-group", "brand=1", "--diversity", "0.5", "--json", shop=shop).json()
    assert len({int(hit["id"].removeprefix("item-")) % 3 for hit in grouped["results"][0]["hits"]}) == 3
    assert len(grouped["results"][0]["hits"]) == 3
    blocks = recsys("recommend", "--query-id", "query-1", "--query-id", "query-2", shop=shop).out.split("\n\n")
    assert [block.splitlines()[0] for block in blocks] == ["query: query-1", "query: query-2"]


def test_a_history_is_one_question(published, shop, recsys):
    """What one user did, of all kinds, gets one answer without the items seen."""
    asked = ("recommend", "oak table", "--query-id", "query-1", "--item", "item-1", "--history", "-k", "50", "--json")
    (result,) = recsys(*asked, shop=shop).json()["results"]
    assert (result["kind"], result["query"]) == ("history", "oak table, query-1, item-1")
    assert len(result["hits"]) == 39
    assert "item-1" not in [hit["id"] for hit in result["hits"]]


def test_popular_items_say_that_they_are(published, shop, recsys):
    """Where nothing matches, with --popular, the most clicked ones stand there with the reason."""
    done = recsys("recommend", "xyzzy", "--popular", "-k", "1", shop=shop)
    _, reason, _, hit = done.out.splitlines()
    assert reason == "popular items, because the encoder knows nothing of what was asked"
    assert "item-39" in hit


def test_failures_name_the_next_command(shop, recsys):
    """Before anything is published, and for an id nobody knows, the exit code is 1."""
    nothing = recsys("recommend", "red", shop=shop)
    shop.run("a")
    recsys("publish", shop=shop)
    unknown = recsys("recommend", "--query-id", "query-1x", shop=shop)
    assert (nothing.code, unknown.code) == (1, 1)
    assert "run `recsys publish`" in nothing.err
    assert "'query-1'" in unknown.err
