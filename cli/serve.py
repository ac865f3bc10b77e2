"""``recsys serve``: recommendations by HTTP, and a page to try them on."""

from __future__ import annotations

import signal
import socket

import click

from recsys.cli.options import settings
from recsys.cli.output import note
from recsys.core.errors import UsageError


class AddressTakenError(UsageError):
    """Nobody can listen at the address."""

    def __init__(self, host: str, port: int, cause: OSError) -> None:
        self.host = host
        self.port = port
        reason = cause.strerror or str(cause)
        super().__init__(
            f"cannot listen on {host} port {port} ({reason}); give another --port, such as 0 for a free one, or --host"
        )


@click.command()
@click.option("--host", help="Address to listen on; any but loopback needs an API key.")
@click.option("--port", type=int, help="Port to listen on; 0 takes a free one.")
@click.option("--api-key", help="Key that callers have to know; RECSYS_SERVE__API_KEY keeps it out of sight.")
@click.option("--popular/--no-popular", default=None, help="Name popular items where nothing else is found.")
@click.option("--alias", help="Alias to search, instead of qdrant.alias.")
def serve(host: str | None, port: int | None, api_key: str | None, popular: bool | None, alias: str | None) -> None:
    """Answer by HTTP from the live collection until Ctrl-C, following the alias.

    /recommend, /similar, /history, /explain, /healthz, /readyz, /metrics and /openapi.json are for programs, / is a
    page for people. Clicks on the page become logs in the workspace's folder clicks, for `recsys ingest clicks`.
    """
    from recsys.serving.access import check_host

    chosen = settings(
        serve={"host": host, "port": port, "api_key": api_key, "popular": popular}, qdrant={"alias": alias}
    )
    key = chosen.serve.api_key.get_secret_value() if chosen.serve.api_key else None
    check_host(chosen.serve.host, key)
    with _listen(chosen.serve.host, chosen.serve.port) as listening:
        note("loading the encoder of the live collection")
        import uvicorn

        from recsys.cli.clients import connect_if_running
        from recsys.serving.app import make_app
        from recsys.serving.at_hand import GraphAtHand
        from recsys.serving.click_log import ClickLog
        from recsys.serving.client import connect
        from recsys.serving.served import Follower

        with connect(chosen.qdrant, chosen.workspace) as client:
            follower = Follower(client, chosen.qdrant, chosen.workspace / "runs", fallback=chosen.serve.popular)
            clicks = ClickLog(chosen.workspace / "clicks", chosen.serve.click_minutes)
            graph = GraphAtHand(lambda: connect_if_running(chosen))
            app = make_app(follower, clicks, graph, key=key, every=chosen.serve.reload_seconds)
            note(f"answering from {follower.served.recommender.collection} on {_address(listening)}; Ctrl-C stops")
            server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            try:
                server.run(sockets=[listening])
            except KeyboardInterrupt:  # uvicorn has answered what was asked, and passes the signal on
                note("stopped")


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        raise AddressTakenError(host, port, error) from error


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
