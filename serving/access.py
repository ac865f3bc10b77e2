"""Who may ask: everybody on this machine over loopback, and whoever knows the API key elsewhere."""

from __future__ import annotations

import hmac
import ipaddress
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBasic, HTTPBasicCredentials, HTTPBearer
from starlette.exceptions import HTTPException

from recsys.core.errors import UsageError
from recsys.serving.site import SiteOf

CHALLENGE = {"WWW-Authenticate": 'Basic realm="recsys", charset="UTF-8"'}
"Lets a browser ask for the key: any user name, the key as password."

Header = Annotated[str | None, Depends(APIKeyHeader(name="X-API-Key", auto_error=False))]
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]
Basic = Annotated[HTTPBasicCredentials | None, Depends(HTTPBasic(auto_error=False))]


class KeyMissingError(UsageError):
    """Others than this machine could ask, and there is no key that they would have to know."""

    def __init__(self, host: str) -> None:
        self.host = host
        super().__init__(
            f"serve.host = {host!r} is not loopback, and there is no API key; set RECSYS_SERVE__API_KEY to 16 "
            "characters or more, or listen on 127.0.0.1"
        )


def is_loopback(host: str) -> bool:
    """Say whether a host name or address stands for this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def check_host(host: str, key: str | None) -> None:
    """Refuse to listen for other machines without a key.

    Raises:
        KeyMissingError: There is none.
    """
    if key is None and not is_loopback(host):
        raise KeyMissingError(host)


def allow(request: Request, site: SiteOf, header: Header, bearer: Bearer, basic: Basic) -> None:
    """Let a request pass that has the key, as X-API-Key, as bearer token or as password; any name will do.

    Without a key there is loopback alone, where a page of another site may still send requests under a name of its own
    that leads here (DNS rebinding): such names are refused.
    """
    if site.key is None:
        if not is_loopback(request.url.hostname or ""):
            raise HTTPException(HTTPStatus.MISDIRECTED_REQUEST, "without an API key this answers to localhost only")
        return
    given = [header, bearer and bearer.credentials, basic and basic.password]
    wanted = site.key.encode()
    if not any([hmac.compare_digest(one.encode(), wanted) for one in given if one]):  # noqa: C419 - each is compared
        raise HTTPException(HTTPStatus.UNAUTHORIZED, "the API key is missing or wrong: X-API-Key: KEY", CHALLENGE)


def same_site(request: Request) -> None:
    """Refuse what a browser sends here from a page of another site."""
    if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        raise HTTPException(HTTPStatus.FORBIDDEN, "this comes from another site")
