"""The files of a managed Neo4j: configuration, password and log."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
from pathlib import Path

from recsys.core.errors import ServiceError
from recsys.core.files import write_text
from recsys.core.managed import ManagedHome
from recsys.core.settings import Neo4jSettings

USER = "neo4j"

_BOLT_ADDRESS = "server.bolt.listen_address"
_HASH_ROUNDS = 1024


class PasswordLostError(ServiceError):
    """The database exists and the file with its password does not."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(
            f"the managed Neo4j has data in {path.parent} but its password file {path} is missing; put it back, or "
            f"remove {path.parent} and ingest again"
        )


class ServerHome(ManagedHome):
    """The directory ``neo4j`` of a workspace."""

    @property
    def password_path(self) -> Path:
        """File that holds the password and nothing else."""
        return self.path / "password"

    @property
    def import_log_path(self) -> Path:
        """What the last offline import has printed."""
        return self.path / "import.log"

    @property
    def _imported(self) -> Path:
        return self.path / "imported"

    @property
    def _conf_path(self) -> Path:
        return self.path / "conf" / "neo4j.conf"

    def password(self) -> str:
        """Return the password.

        Raises:
            PasswordLostError: Its file is missing.
        """
        try:
            return self.password_path.read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise PasswordLostError(self.password_path) from error

    def ensure_password(self) -> None:
        """Generate the password where there is no database yet, and hand it to the first start.

        Neo4j takes the hash of its first password from ``auth.ini``. Writing that file keeps the password off every
        command line, and there is no moment at which another password is valid.

        Raises:
            PasswordLostError: There is a database and no password file.
        """
        if not self.password_path.exists() and not (self.path / "data" / "databases").exists():
            write_text(self.password_path, secrets.token_urlsafe(24), mode=0o600)
        write_text(self.path / "data" / "dbms" / "auth.ini", _credential(self.password()), mode=0o600)

    def configure(self, settings: Neo4jSettings, port: int) -> None:
        """Write ``conf/neo4j.conf``: Bolt on loopback alone, authentication on, nothing reported to anyone."""
        conf = {
            "server.default_listen_address": "127.0.0.1",
            _BOLT_ADDRESS: f"127.0.0.1:{port}",
            "server.http.enabled": "false",
            "server.https.enabled": "false",
            "server.memory.pagecache.size": settings.page_cache,
            "dbms.security.auth_enabled": "true",
            "dbms.usage_report.enabled": "false",
            # A quarter of a GiB per database would be set aside in every workspace.
            "db.tx_log.preallocate": "false",
            # Nothing new arrives on a closed port; waiting for it would make every stop ten seconds longer.
            "internal.dbms.bolt.netty_server_shutdown_quiet_period": "0",
        }
        write_text(self._conf_path, "".join(f"{key}={value}\n" for key, value in conf.items()))

    def stage(self, data: Path) -> None:
        """Have the databases in ``data``, a folder of the same disk, take the places of ours at the next start.

        The rename is the moment that decides: whatever breaks off before leaves our data as it was, whatever breaks
        off later is finished by the next start. Call it while no server runs and none can start.
        """
        shutil.rmtree(self._imported, ignore_errors=True)
        data.rename(self._imported)

    def take_staged(self) -> None:
        """Finish what :meth:`stage` began; no server may run."""
        for staged in sorted(self._imported.glob("*/*")):
            place = self.path / "data" / staged.relative_to(self._imported)
            shutil.rmtree(place, ignore_errors=True)
            place.parent.mkdir(parents=True, exist_ok=True)
            staged.rename(place)
        shutil.rmtree(self._imported, ignore_errors=True)

    def last_port(self) -> int:
        """Return the Bolt port of the last configuration, 0 where there is none."""
        conf = self._conf_path.read_text(encoding="utf-8") if self._conf_path.exists() else ""
        found = re.search(rf"^{re.escape(_BOLT_ADDRESS)}=.*:(\d+)$", conf, re.MULTILINE)
        return int(found[1]) if found else 0

    def log_since(self, offset: int, lines: int = 12) -> str:
        """Return the last lines of the log that were written after byte ``offset``."""
        with self.log_path.open("rb") as file:
            file.seek(offset)
            return "\n".join(file.read().decode("utf-8", "replace").splitlines()[-lines:])


def _credential(password: str) -> str:
    """Return a line of Neo4j's ``auth.ini``: salted SHA-256, applied again to its digest round by round."""
    salt = os.urandom(32)
    digest = salt + password.encode()
    for _ in range(_HASH_ROUNDS):
        digest = hashlib.sha256(digest).digest()
    return f"{USER}:SHA-256,{digest.hex()},{salt.hex()},{_HASH_ROUNDS}:\n"
