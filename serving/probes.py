"""The routes that operators ask: is it alive, may it be sent requests, and what has it done."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Depends, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel

from recsys.core.errors import RecsysError
from recsys.serving.access import allow
from recsys.serving.site import SiteOf

router = APIRouter(tags=["operate"])


class Health(BaseModel):
    """The process answers."""

    alive: bool = True


class Readiness(BaseModel):
    """Whether questions are answered.

    Attributes:
        ready: Qdrant answers, and the live collection and its encoder are loaded.
        collection: That answers.
        run: That made it.
        trouble: Why it is not ready, or why it does not follow the alias; null where all is well.
    """

    ready: bool
    collection: str
    run: str
    trouble: str | None = None


@router.get("/healthz")
async def healthz() -> Health:
    """Say that the process answers."""
    return Health()


@router.get("/readyz", responses={503: {"model": Readiness, "description": "Send no questions here."}})
def readyz(site: SiteOf, response: Response) -> Readiness:
    """Say whether questions are answered; a move of the alias that cannot be followed does not stop that."""
    recommender = site.follower.served.recommender
    ready, trouble = True, site.follower.trouble
    try:
        site.follower.is_live()
    except RecsysError as error:
        ready, trouble = False, str(error)
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return Readiness(ready=ready, collection=recommender.collection, run=recommender.lineage.run, trouble=trouble)


@router.get("/metrics", dependencies=[Depends(allow)], response_class=Response)
def metrics(site: SiteOf) -> Response:
    """Return all meters in the text format of Prometheus."""
    return Response(site.meters.exposition(), media_type=CONTENT_TYPE_LATEST)
