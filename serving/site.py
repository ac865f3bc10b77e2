"""What every route works with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from recsys.serving.at_hand import GraphAtHand
from recsys.serving.click_log import ClickLog
from recsys.serving.meters import Meters
from recsys.serving.served import Follower


@dataclass(frozen=True)
class Site:
    """One ``recsys serve``.

    Attributes:
        follower: Answers.
        clicks: Where clicks on the page go.
        graph: Where reasons come from.
        meters: What /metrics shows.
        key: API key; None on loopback, where none is needed.
    """

    follower: Follower
    clicks: ClickLog
    graph: GraphAtHand
    meters: Meters
    key: str | None = None


def site_of(request: Request) -> Site:
    """Return the site of a request."""
    site: Site = request.app.state.site
    return site


SiteOf = Annotated[Site, Depends(site_of)]
