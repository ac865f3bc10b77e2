"""Opening Qdrant: what refuses or does not answer becomes an error that says what to do."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from recsys.core.errors import UsageError
from recsys.core.settings import QdrantSettings
from recsys.serving.client import QdrantTooOldError, connect
from recsys.serving.embedded import QdrantBusyError
from recsys.serving.qdrant_errors import QdrantRefusedError, QdrantUnreachableError
from tests.serving.http_stub import serving


@contextmanager
def closed_port() -> Iterator[str]:
    """Hold a loopback port that nobody listens on."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_api_key_is_told_from_other_refusals(status: int, tmp_path: Path) -> None:
    """401 and 403 lead to the setting of the key."""
    body = b'{"status": {"error": "Must provide an API key"}}'
    with (
        serving(lambda *_: (status, body)) as url,
        pytest.raises(QdrantRefusedError, match=r"Must provide an API key.*RECSYS_QDRANT__API_KEY") as caught,
        connect(QdrantSettings(url=url), tmp_path) as client,
    ):
        client.get_aliases()
    assert (caught.value.url, caught.value.status) == (url, status)


@pytest.mark.parametrize(
    ("status", "body"), [(200, b"<html>hello</html>"), (200, b'{"hello": 1}'), (404, b"nothing here"), (500, b"")]
)
def test_a_server_that_is_not_qdrant_is_a_refusal(status: int, body: bytes, tmp_path: Path) -> None:
    """An answer that is not Qdrant's names the address and the doctor."""
    with (
        serving(lambda *_: (status, body)) as url,
        pytest.raises(QdrantRefusedError, match="recsys doctor"),
        connect(QdrantSettings(url=url), tmp_path),
    ):
        pass


@pytest.mark.parametrize("version", ["1.15.5", "0.11.0"])
def test_a_server_without_collection_metadata_is_too_old(version: str, tmp_path: Path) -> None:
    """Without metadata no collection could say which encoder made it, so an old server is refused at once."""
    body = f'{{"title": "qdrant", "version": "{version}"}}'.encode()
    with (
        serving(lambda *_: (200, body)) as url,
        pytest.raises(QdrantTooOldError, match=version) as caught,
        connect(QdrantSettings(url=url), tmp_path),
    ):
        pass
    assert caught.value.version == version


def test_a_closed_port_is_unreachable(tmp_path: Path) -> None:
    """The error names the address and the setting to correct."""
    with (
        closed_port() as url,
        pytest.raises(QdrantUnreachableError, match=r"qdrant\.url"),
        connect(QdrantSettings(url=url), tmp_path) as client,
    ):
        client.get_aliases()


def test_an_address_of_an_unknown_scheme_is_a_usage_error(tmp_path: Path) -> None:
    """A qdrant.url that no client can use is the user's to change."""
    with pytest.raises(UsageError, match="ftp://x"), connect(QdrantSettings(url="ftp://x"), tmp_path):
        pass


def test_the_embedded_qdrant_has_one_user_at_a_time(tmp_path: Path) -> None:
    """A second process is refused with the way out, and gets in when the first has left."""
    settings = QdrantSettings()
    with (
        connect(settings, tmp_path),
        pytest.raises(QdrantBusyError, match=r"qdrant\.url"),
        connect(settings, tmp_path, patience=0),
    ):
        pass
    with connect(settings, tmp_path, patience=0) as client:
        assert client.get_aliases().aliases == []


def test_an_error_of_ours_passes_through(tmp_path: Path) -> None:
    """Only Qdrant's own failures are translated."""
    with pytest.raises(KeyError), connect(QdrantSettings(), tmp_path):
        raise KeyError("mine")
