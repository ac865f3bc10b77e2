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
@click.option(
    "--query-id", "query_ids", multiple=True, help="Id of a training query, whose vector is read. Repeatable."
)
@click.option("--item", "items", multiple=True, help="Id of a liked item; items near it are recommended. Repeatable.")
@click.option("--not-like", "disliked", multiple=True, help="Id of a disliked item, beside --item. Repeatable.")
@click.option(
    "--filter", "filters", multiple=True, help="Such as category=shoes, price<=20 or last_seen>=2026-01-01. Repeatable."
)
@click.option("--exclude", "excluded", multiple=True, help="Id of an item that is left out. Repeatable.")
@click.option("--history", is_flag=True, help="TEXTs, --query-id and --item are what one user did: one answer to all.")
@click.option("--diversity", default=0.0, help="From 0, the order of the scores, to 1, hits as unlike as can be.")
@click.option("--per-group", metavar="COLUMN=N", help="At most N hits with the same value of an item column.")
@click.option("--offset", default=0, help="Hits to pass over: those of the pages before.")
@click.option("--popular", is_flag=True, help="Name the most clicked items where nothing matches or Qdrant fails.")
@click.option("-k", default=10, show_default=True, type=click.IntRange(min=1), help="Items per query.")
@click.option("--alias", help="Alias to search, instead of qdrant.alias.")
@json_option
def recommend(
    texts: tuple[str, ...],
    query_ids: tuple[str, ...],
    items: tuple[str, ...],
    disliked: tuple[str, ...],
    filters: tuple[str, ...],
    excluded: tuple[str, ...],
    history: bool,
    diversity: float,
    per_group: str | None,
    offset: int,
    popular: bool,
    k: int,
    alias: str | None,
    as_json: bool,
) -> None:
    """Recommend items for every TEXT, or for training queries, for items, or for a history of them all."""
    forms = sum(map(bool, (texts, query_ids, items)))
    if not forms or (forms > 1 and not history) or (disliked and (history or not items)):
        raise UsageError(
            "give exactly one of TEXT, --query-id and --item (--not-like goes with --item), or --history with any, "
            "such as `recsys recommend 'red shoes'`; `recsys recommend --help` says more"
        )
    from recsys.serving.client import connect
    from recsys.serving.listing import Listing, PerGroup
    from recsys.serving.only import Condition, Only
    from recsys.serving.recommend import Recommender

    only = Only(tuple(map(Condition.parse, filters)), excluded)
    listing = Listing(offset, diversity, PerGroup.parse(per_group) if per_group else None)
    chosen = settings(qdrant={"alias": alias})
    with connect(chosen.qdrant, chosen.workspace) as client:
        recommender = Recommender(client, chosen.qdrant.alias, chosen.workspace / "runs", fallback=popular)
        if history:
            results = [recommender.by_history(texts, query_ids, items, k, only=only, listing=listing)]
        elif query_ids:
            results = recommender.by_query_ids(query_ids, k, only=only, listing=listing)
        elif items:
            results = [recommender.by_items(items, disliked, k, only=only, listing=listing)]
        else:
            results = recommender.by_text(texts, k, only=only, listing=listing)
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
        kinds = {"query": "query", "item": "like item", "history": "history"}
        label = kinds.get(result.kind, "known query" if result.known else "text")
        print_line(f"{label}: {result.query}")
        if result.origin.way == "popular":
            print_line(f"popular items, because {result.origin.because}")
        if not result.matched and result.origin.way == "vector":
            print_line("nothing matched: the encoder knows no word of it")
        elif result.hits:
            print_table([asdict(hit) for hit in result.hits], ["rank", "score", "id", "title"])
        else:
            print_line("no item fits")
