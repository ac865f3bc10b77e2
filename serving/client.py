"""Opens Qdrant, embedded in the workspace or at an address."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from qdrant_client import QdrantClient

from recsys.core.errors import ServiceError, UsageError
from recsys.core.settings import QdrantSettings
from recsys.serving.embedded import embedded_directory, open_embedded
from recsys.serving.qdrant_errors import QdrantRefusedError, in_our_words

OLDEST_SERVER = (1, 16)
"First version that keeps metadata with a collection."

LOOPBACK = ("127.0.0.1", "localhost", "::1")

LOCK_PATIENCE_SECONDS = 10.0
"How long another command may hold the embedded Qdrant before we give up."


class QdrantTooOldError(ServiceError):
    """The server keeps no collection metadata, where the lineage belongs."""

    def __init__(self, url: str, version: str) -> None:
        self.url = url
        self.version = version
        super().__init__(
            f"Qdrant at {url} is version {version}, which cannot note in a collection which encoder made it; "
            f"upgrade the server to {'.'.join(map(str, OLDEST_SERVER))} or later, then run the same command again"
        )


@contextmanager
def connect(
    settings: QdrantSettings, workspace: Path, *, patience: float = LOCK_PATIENCE_SECONDS
) -> Iterator[QdrantClient]:
    """Open Qdrant for the length of a ``with`` block; failures inside the block become errors of ours.

    Args:
        settings: Without ``url``, Qdrant's embedded mode in ``workspace``.
        workspace: Absolute directory.
        patience: Seconds to wait for another process to let go of the embedded Qdrant.

    Raises:
        QdrantUnreachableError: Nothing answers at ``url``.
        QdrantSlowError: An answer did not come within ``timeout``.
        QdrantRefusedError: Wrong API key, or any other refusal.
        QdrantTooOldError: The server is older than 1.16.
        QdrantBusyError: The embedded Qdrant is in use by another process.
        UsageError: ``url`` is not an address.
    """
    directory = embedded_directory(settings, workspace)
    opened = _server(settings) if directory is None else open_embedded(directory, patience)
    with opened as client:
        yield client


@contextmanager
def _server(settings: QdrantSettings) -> Iterator[QdrantClient]:
    url = str(settings.url)
    key = settings.api_key.get_secret_value() if settings.api_key else None
    try:
        with _calm_on_loopback(url):
            client = QdrantClient(url=url, api_key=key, timeout=settings.timeout, check_compatibility=False)
    except ValueError as error:
        raise UsageError(
            f"qdrant.url = {url!r} is not an address ({error}); an example is http://localhost:6333"
        ) from error
    with closing(client), in_our_words(settings):
        _check_version(client, url)
        yield client


@contextmanager
def _calm_on_loopback(url: str) -> Iterator[None]:
    """Keep back the warning of a key sent in the clear, where it does not leave this machine."""
    with warnings.catch_warnings():
        if urlsplit(url).hostname in LOOPBACK:
            warnings.filterwarnings("ignore", message="Api key is used with an insecure connection")
        yield


def _check_version(client: QdrantClient, url: str) -> None:
    try:
        version = client.info().version
    except json.JSONDecodeError as error:
        raise QdrantRefusedError(url, None, "its answer is not JSON") from error
    if tuple(map(int, version.split(".")[:2])) < OLDEST_SERVER:
        raise QdrantTooOldError(url, version)
