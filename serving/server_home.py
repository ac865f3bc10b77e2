"""The files of a managed Qdrant: configuration with address and key, points and log."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any, NamedTuple

from recsys.core.files import write_json
from recsys.core.managed import ManagedHome
from recsys.core.settings import Settings


class Address(NamedTuple):
    """Where a server is, and what it wants to hear."""

    port: int
    api_key: str

    @property
    def url(self) -> str:
        """Address on loopback."""
        return f"http://127.0.0.1:{self.port}"


class QdrantHome(ManagedHome):
    """The directory ``qdrant-server`` of a workspace."""

    @property
    def config_path(self) -> Path:
        """What the server reads when it starts; only there once a server was started."""
        return self.path / "config.yaml"

    def address(self) -> Address | None:
        """Return where the server is when it runs; None where none was ever started."""
        if not self.config_path.exists():
            return None
        service = json.loads(self.config_path.read_text(encoding="utf-8"))["service"]
        return Address(service["http_port"], service["api_key"])

    def configure(self, port: int) -> Address:
        """Write the configuration: HTTP on loopback alone, with a key, nothing reported to anyone."""
        before = self.address()
        address = Address(port, before.api_key if before else secrets.token_urlsafe(24))
        config: dict[str, Any] = {
            "log_level": "INFO",
            "storage": {"storage_path": str(self.path / "storage"), "snapshots_path": str(self.path / "snapshots")},
            "service": {
                "host": "127.0.0.1",
                "http_port": port,
                "grpc_port": None,
                "enable_cors": False,
                "api_key": address.api_key,
            },
            "telemetry_disabled": True,
        }
        write_json(self.config_path, config, mode=0o600)  # JSON is YAML
        return address


def qdrant_home(workspace: Path) -> QdrantHome:
    """Return the home of the workspace's server."""
    return QdrantHome(workspace.resolve() / "qdrant-server")


def with_managed_qdrant(settings: Settings) -> Settings:
    """Fill in ``qdrant.url`` and ``qdrant.api_key`` where no address is set and the workspace has a managed server."""
    address = None if settings.qdrant.url else qdrant_home(settings.workspace).address()
    if address is None:
        return settings
    qdrant = settings.qdrant.model_validate(
        {**settings.qdrant.model_dump(), "url": address.url, "api_key": address.api_key}
    )
    return settings.model_copy(update={"qdrant": qdrant})
