"""The routes that programs ask: items for texts, known queries, items and histories, and why an item is among them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from recsys.core.errors import UsageError
from recsys.serving.access import allow
from recsys.serving.explanation import Explanation
from recsys.serving.lineage import Lineage
from recsys.serving.listing import Listing, PerGroup
from recsys.serving.only import Condition, Only
from recsys.serving.problems import PROBLEMS
from recsys.serving.recommend import Recommender
from recsys.serving.recommendation import Recommendation
from recsys.serving.served import Served
from recsys.serving.site import SiteOf

MOST_QUESTIONS = 100
MOST_LEFT_OUT = 1_000
FARTHEST = 10_000
"Hits to pass over; a page is found by ranking all before it."
LONGEST = 2_000
"Characters of a text or an id."

router = APIRouter(dependencies=[Depends(allow)], responses=PROBLEMS, tags=["recommend"])

Text = Annotated[str, Field(min_length=1, max_length=LONGEST)]
Texts = Annotated[Sequence[Text], Query(max_length=MOST_QUESTIONS)]
Liked = Annotated[Sequence[Text], Query(min_length=1, max_length=MOST_QUESTIONS, description="Ids of liked items.")]
Disliked = Annotated[Sequence[Text], Query(max_length=MOST_QUESTIONS, description="Ids of disliked items.")]
K = Annotated[int, Query(ge=1, le=1_000, description="Items per question.")]
Filters = Annotated[
    Sequence[Text], Query(max_length=MOST_QUESTIONS, description="Conditions such as price<=20; all hold.")
]
Excluded = Annotated[Sequence[Text], Query(max_length=MOST_LEFT_OUT, description="Ids of items that are left out.")]


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


@dataclass(frozen=True)
class Shaped:
    """Which items, and how they are listed: the parameters that questions share."""

    k: K = 10
    filter: Filters = ()
    exclude: Excluded = ()
    offset: Annotated[int, Query(ge=0, le=FARTHEST, description="Hits to pass over: those of the pages before.")] = 0
    diversity: Annotated[float, Query(ge=0, le=1, description="0 for the order of the scores.")] = 0.0
    per_group: Annotated[str | None, Query(max_length=LONGEST, description="At most so many, such as brand=2.")] = None

    @property
    def asked(self) -> dict[str, Any]:
        """Return it as a Recommender takes it.

        Raises:
            UsageError: A filter or a limit cannot be read.
        """
        listing = Listing(self.offset, self.diversity, PerGroup.parse(self.per_group) if self.per_group else None)
        only = Only([Condition.parse(one) for one in self.filter], self.exclude)
        return {"k": self.k, "only": only, "listing": listing}


@router.get("/recommend")
def recommend(site: SiteOf, shaped: Annotated[Shaped, Depends()], text: Texts = (), query_id: Texts = ()) -> Answer:
    """Recommend items for each text, or for each training query by its id."""
    if bool(text) == bool(query_id):
        raise UsageError("give either text or query_id, one or more of them, such as /recommend?text=red+shoes")
    asked = shaped.asked
    if text:
        return site.follower.ask(_answer(lambda recommender: recommender.by_text(text, **asked)))
    return site.follower.ask(_answer(lambda recommender: recommender.by_query_ids(query_id, **asked)))


@router.get("/similar")
def similar(site: SiteOf, shaped: Annotated[Shaped, Depends()], item: Liked, not_like: Disliked = ()) -> Answer:
    """Recommend items near the liked and away from the disliked ones, none of which is among them."""
    asked = shaped.asked
    return site.follower.ask(_answer(lambda recommender: [recommender.by_items(item, not_like, **asked)]))


@router.get("/history")
def history(
    site: SiteOf,
    shaped: Annotated[Shaped, Depends()],
    text: Texts = (),
    query_id: Texts = (),
    item: Annotated[Texts, Query(description="Ids of items that the user looked at, bought or liked.")] = (),
) -> Answer:
    """Recommend items for what one user asked and looked at, all of it one question; give the latest only."""
    if not (text or query_id or item):
        raise UsageError("give text, query_id or item, any number of each, such as /history?text=red+shoes&item=item-1")
    asked = shaped.asked
    return site.follower.ask(_answer(lambda recommender: [recommender.by_history(text, query_id, item, **asked)]))


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


def _answer(question: Callable[[Recommender], list[Recommendation]]) -> Callable[[Served], Answer]:
    """Return what asks one collection and says which one it was."""

    def ask(served: Served) -> Answer:
        recommender = served.recommender
        results = question(recommender)
        return Answer(
            alias=recommender.alias, collection=recommender.collection, lineage=recommender.lineage, results=results
        )

    return ask
