"""``recsys recommend``: items for texts, for a known query or for an item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from recsys.cli.options import json_option, settings
from recsys.cli.output import print_json, print_line, print_table
from recsys.core.errors import UsageError

if TYPE_CHECKING:
    from recsys.serving.recommend import Recommender
    from recsys.serving.recommendation import Recommendation


@click.command()
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@click.option("--query-id", help="Id of a training query; its stored vector is used.")
@click.option("--item", "items", multiple=True, help="Id of a liked item; items near it are recommended. Repeatable.")
@click.option("--not-like", "disliked", multiple=True, help="Id of a disliked item, beside --item. Repeatable.")
@click.option("--filter", "filters", multiple=True, help="Condition such as category=shoes or price<=20. Repeatable.")
@click.option("--exclude", "excluded", multiple=True, help="Id of an item that is left out. Repeatable.")
@click.option("-k", default=10, show_default=True, type=click.IntRange(min=1), help="Items per query.")
@click.option("--alias", help="Alias to search, instead of qdrant.alias.")
@json_option
def recommend(
    texts: tuple[str, ...],
    query_id: str | None,
    items: tuple[str, ...],
    disliked: tuple[str, ...],
    filters: tuple[str, ...],
    excluded: tuple[str, ...],
    k: int,
    alias: str | None,
    as_json: bool,
) -> None:
    """Recommend items for every TEXT, or for a training query, or for items."""
    if sum((bool(texts), query_id is not None, bool(items))) != 1 or (disliked and not items):
        raise UsageError(
            "give exactly one of TEXT, --query-id and --item (--not-like goes with --item), such as "
            "`recsys recommend 'red shoes'`; `recsys recommend --help` says more"
        )
    from recsys.serving.client import connect
    from recsys.serving.only import Condition, Only
    from recsys.serving.recommend import Recommender

    only = Only(tuple(map(Condition.parse, filters)), excluded)
    chosen = settings(qdrant={"alias": alias})
    with connect(chosen.qdrant, chosen.workspace) as client:
        recommender = Recommender(client, chosen.qdrant.alias, chosen.workspace / "runs")
        if query_id is not None:
            results = [recommender.by_query_id(query_id, k, only=only)]
        elif items:
            results = [recommender.by_items(items, disliked, k, only=only)]
        else:
            results = recommender.by_text(texts, k, only=only)
    if as_json:
        print_json(_as_json(recommender, results))
    else:
        _tell(results)


def _as_json(recommender: Recommender, results: Sequence[Recommendation]) -> dict[str, object]:
    return {
        "alias": recommender.alias,
        "collection": recommender.collection,
        "lineage": asdict(recommender.lineage),
        "results": [asdict(result) for result in results],
    }


def _tell(results: Sequence[Recommendation]) -> None:
    for number, result in enumerate(results):
        if number:
            print_line()
        label = {"text": "known query" if result.known else "text", "query": "query", "item": "like item"}[result.kind]
        print_line(f"{label}: {result.query}")
        if not result.matched:
            print_line("nothing matched: the encoder knows no word of it")
        elif result.hits:
            print_table([asdict(hit) for hit in result.hits], ["rank", "score", "id", "title"])
        else:
            print_line("no item fits")
