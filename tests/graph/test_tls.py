"""A Neo4j of one's own: encrypted, with a user and a database of other names."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from recsys.core.settings import Neo4jSettings
from recsys.graph.client import Graph
from recsys.graph.neo4j_errors import GraphRefusedError, GraphUnreachableError
from recsys.graph.schema import ensure_schema
from recsys.graph.server import Server, start, stop
from recsys.graph.server_home import ServerHome

CERTIFICATE = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout private.key -out public.crt"
CONF = """server.bolt.tls_level=REQUIRED
dbms.ssl.policy.bolt.enabled=true
dbms.ssl.policy.bolt.base_directory={folder}
dbms.ssl.policy.bolt.private_key=private.key
dbms.ssl.policy.bolt.public_certificate=public.crt
dbms.ssl.policy.bolt.client_auth=NONE
initial.dbms.default_database=clicks
"""


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that takes TLS alone, by a certificate that nobody signed, with its data in the database ``clicks``."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("certificate")
    subprocess.run([openssl, *CERTIFICATE.split()], cwd=folder, check=True, capture_output=True)
    configure = ServerHome.configure

    def with_tls(home: ServerHome, settings: Neo4jSettings, port: int) -> None:
        configure(home, settings, port)
        with (home.path / "conf" / "neo4j.conf").open("a") as conf:
            conf.write(CONF.format(folder=folder))

    workspace = tmp_path_factory.mktemp("tls")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ServerHome, "configure", with_tls)
        server = start(workspace, Neo4jSettings(heap="512m", page_cache="64m"))
    yield server
    stop(workspace)


def address(server: Server, scheme: str) -> str:
    """Return the server's address under another scheme."""
    return server.uri.replace("bolt://", f"{scheme}://")


@pytest.mark.parametrize("scheme", ["bolt+ssc", "neo4j+ssc"])
def test_an_encrypted_connection_by_name(encrypted: Server, scheme: str) -> None:
    """Scheme, user, password and database are those that are given."""
    with Graph(address(encrypted, scheme), encrypted.user, encrypted.password, "clicks") as graph:
        ensure_schema(graph)
        assert graph.read("CALL db.info() YIELD name RETURN name")[0]["name"] == "clicks"


@pytest.mark.parametrize("scheme", ["bolt", "bolt+s"])
def test_what_cannot_be_trusted_is_not_connected_to(encrypted: Server, scheme: str) -> None:
    """A server that wants TLS is not reached without, and a certificate that nobody signed is no certificate."""
    with pytest.raises(GraphUnreachableError, match=r"neo4j\.uri"):
        Graph(address(encrypted, scheme), encrypted.user, encrypted.password, "clicks")


def test_a_user_of_ones_own(
    encrypted: Server, recsys: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commands take all four from the settings; a database that is not there is refused by name."""
    uri = address(encrypted, "bolt+ssc")
    with Graph(uri, encrypted.user, encrypted.password, "clicks") as graph:
        graph.command("CREATE USER loader IF NOT EXISTS SET PASSWORD 'long enough' CHANGE NOT REQUIRED")
    monkeypatch.chdir(tmp_path)
    for name, value in {"URI": uri, "USER": "loader", "PASSWORD": "long enough", "DATABASE": "clicks"}.items():
        monkeypatch.setenv(f"RECSYS_NEO4J__{name}", value)
    assert recsys("graph", "check").code == 0
    with pytest.raises(GraphRefusedError, match=r"neo4j\.database"):
        Graph(uri, "loader", "long enough", "other")
