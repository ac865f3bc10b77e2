"""The routes that programs ask: items for texts and known queries, and items like others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from recsys.core.errors import UsageError
from recsys.serving.access import allow
from recsys.serving.explanation import Explanation
from recsys.serving.lineage import Lineage
from recsys.serving.only import Condition, Only
from recsys.serving.problems import PROBLEMS
from recsys.serving.recommend import Recommender
from recsys.serving.recommendation import Recommendation
from recsys.serving.served import Served
from recsys.serving.site import SiteOf

MOST_QUESTIONS = 100
MOST_LEFT_OUT = 1_000
LONGEST = 2_000
"Characters of a text or an id."

router = APIRouter(dependencies=[Depends(allow)], responses=PROBLEMS, tags=["recommend"])

Text = Annotated[str, Field(min_length=1, max_length=LONGEST)]
Texts = Annotated[list[Text], Query(max_length=MOST_QUESTIONS)]
K = Annotated[int, Query(ge=1, le=1_000, description="Items per question.")]
Filters = Annotated[
    list[Text], Query(max_length=MOST_QUESTIONS, description="Condition such as category=shoes or price<=20; all hold.")
]
Excluded = Annotated[list[Text], Query(max_length=MOST_LEFT_OUT, description="Ids of items that are left out.")]


class Answer(BaseModel):
    """Recommendations, and where they come from.

    Attributes:
        alias: That was searched.
        collection: It pointed at.
        lineage: Of the collection.
        results: One for each question, in their order.
    """

    alias: str
    collection: str
    lineage: Lineage
    results: list[Recommendation]


@router.get("/recommend")
def recommend(
    site: SiteOf,
    text: Texts = [],  # noqa: B006 - FastAPI copies defaults
    query_id: Texts = [],  # noqa: B006
    k: K = 10,
    filter: Filters = [],  # noqa: A002, B006 - the name of the parameter
    exclude: Excluded = [],  # noqa: B006
) -> Answer:
    """Recommend items for each text, or for each training query by its id."""
    if bool(text) == bool(query_id):
        raise UsageError("give either text or query_id, one or more of them, such as /recommend?text=red+shoes")
    only = _only(filter, exclude)
    if text:
        return site.follower.ask(_answer(lambda recommender: recommender.by_text(text, k, only=only)))
    return site.follower.ask(_answer(lambda recommender: recommender.by_query_ids(query_id, k, only=only)))


@router.get("/similar")
def similar(
    site: SiteOf,
    item: Annotated[list[Text], Query(min_length=1, max_length=MOST_QUESTIONS, description="Ids of liked items.")],
    not_like: Annotated[list[Text], Query(max_length=MOST_QUESTIONS, description="Ids of disliked items.")] = [],  # noqa: B006
    k: K = 10,
    filter: Filters = [],  # noqa: A002, B006 - the name of the parameter
    exclude: Excluded = [],  # noqa: B006
) -> Answer:
    """Recommend items near the liked and away from the disliked ones, none of which is among them."""
    only = _only(filter, exclude)
    return site.follower.ask(_answer(lambda recommender: [recommender.by_items(item, not_like, k, only=only)]))


@router.get("/explain")
def explain(
    site: SiteOf,
    item: Annotated[str, Query(min_length=1, max_length=LONGEST, description="Id of an item.")],
    text: Annotated[str | None, Query(min_length=1, max_length=LONGEST)] = None,
    query_id: Annotated[str | None, Query(min_length=1, max_length=LONGEST)] = None,
    n: Annotated[int, Query(ge=1, le=50, description="Reasons of a kind.")] = 5,
) -> Explanation:
    """Say why an item gets its score for a text or a training query: the parts of the score, and paths in the graph."""
    query = text if query_id is None else query_id
    if query is None or (text is not None and query_id is not None):
        raise UsageError("give either text or query_id, such as /explain?text=red+shoes&item=item-1")
    return site.follower.ask(
        lambda served: site.graph.explain(served.recommender, query, item, by_id=query_id is not None, shown=n)
    )


def _only(filters: list[str], excluded: list[str]) -> Only:
    return Only([Condition.parse(one) for one in filters], excluded)


def _answer(question: Callable[[Recommender], list[Recommendation]]) -> Callable[[Served], Answer]:
    """Return what asks one collection and says which one it was."""

    def ask(served: Served) -> Answer:
        recommender = served.recommender
        results = question(recommender)
        return Answer(
            alias=recommender.alias, collection=recommender.collection, lineage=recommender.lineage, results=results
        )

    return ask
