"""The pinned jars of Neo4j: fetched once into the user cache, verified, and put in place when whole.

Ivy, which pyspark ships, does the fetching from a flat list: no dependency is resolved, so nothing but the listed
jars can arrive, and the walk through poms (minutes) is saved.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from xml.sax.saxutils import quoteattr

from filelock import FileLock
from platformdirs import user_cache_path

from recsys.core.errors import SetupError
from recsys.core.java import Java
from recsys.core.progress import progress

VERSION = "5.26.30"
"Version of the managed Neo4j."

_FILE_PATTERN = "[artifact]-[revision](-[classifier]).[ext]"


class JarsMissingError(SetupError):
    """The jars of Neo4j could not be fetched, or are not the pinned ones."""

    def __init__(self, detail: str) -> None:
        self.detail = detail
        super().__init__(
            f"the jars of Neo4j {VERSION} could not be fetched ({detail}); check the network, pass a proxy as "
            "JAVA_TOOL_OPTIONS='-Dhttps.proxyHost=HOST -Dhttps.proxyPort=PORT', or name a Maven mirror in "
            "neo4j.repository, then run the same command again: what has arrived is kept"
        )


@dataclass(frozen=True, order=True)
class Jar:
    """One pinned jar.

    Attributes:
        group: Maven group.
        artifact: Maven artifact.
        version: Maven version.
        classifier: Maven classifier; empty for most.
        sha256: Hex digest of the file.
    """

    group: str
    artifact: str
    version: str
    classifier: str
    sha256: str

    @property
    def file_name(self) -> str:
        """Name of the file in the cache."""
        return f"{self.artifact}-{self.version}{'-' if self.classifier else ''}{self.classifier}.jar"


def pinned_jars() -> list[Jar]:
    """Return the jars of ``org.neo4j:neo4j`` :data:`VERSION` as pinned in ``neo4j-jars.txt``."""
    return sorted(map(_parse, files("recsys.graph").joinpath("neo4j-jars.txt").read_text("utf-8").splitlines()))


def ensure_jars(
    java: Java, repository: str | None = None, *, jars: Sequence[Jar] | None = None, cache: Path | None = None
) -> Path:
    """Return the directory of the jars, fetching them first where it is missing.

    Two processes may do this at once; the second waits for the first.

    Args:
        java: Runs Ivy.
        repository: Address of a Maven mirror; Ivy's default, Maven Central, when None.
        jars: What to fetch; the pinned jars by default.
        cache: Where the directory is made; the user cache by default.

    Raises:
        JarsMissingError: A jar could not be had or has another checksum than the pinned one.
        SetupError: The cache cannot be written.
    """
    directory = jars_directory(cache)
    if directory.is_dir():
        return directory
    partial = directory.with_name(f"{directory.name}.partial")
    wanted = jars or pinned_jars()
    try:
        partial.mkdir(parents=True, exist_ok=True)
        with FileLock(directory.with_name(f"{directory.name}.lock")):
            if not directory.is_dir():
                partial.mkdir(exist_ok=True)
                _fetch(java, wanted, partial, repository)
                _verify(wanted, partial)
                (partial / "jars").replace(directory)
                shutil.rmtree(partial)
    except OSError as error:
        raise SetupError(
            f"cannot fill {directory} ({error}); make room or set XDG_CACHE_HOME, then run again"
        ) from error
    return directory


def jars_directory(cache: Path | None = None) -> Path:
    """Return where the jars are, or will be."""
    return (cache or user_cache_path("recsys")).absolute() / f"neo4j-{VERSION}"


def _parse(line: str) -> Jar:
    coordinates, sha256 = line.split()
    group, artifact, *classifier, version = coordinates.split(":")
    return Jar(group, artifact, version, "".join(classifier), sha256)


def _fetch(java: Java, jars: Sequence[Jar], partial: Path, repository: str | None) -> None:
    (partial / "ivy.xml").write_text(_module(jars), encoding="utf-8")
    (partial / "settings.xml").write_text(_settings(repository), encoding="utf-8")
    (ivy,) = Path(str(files("pyspark"))).glob("jars/ivy-*.jar")
    command: list[str | Path] = [java.binary, *java.trust_options, "-cp", ivy, "org.apache.ivy.Main"]
    command += ["-settings", "settings.xml", "-ivy", "ivy.xml", "-retrieve", f"jars/{_FILE_PATTERN}"]
    tail: deque[str] = deque(maxlen=200)
    with subprocess.Popen(command, cwd=partial, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        steps = (line for line in _tee(process.stdout, tail) if line.startswith(("\tfound ", "\t[SUCCESSFUL ]")))
        for _ in progress(steps, f"Fetching Neo4j {VERSION}", total=2 * len(jars), unit="step"):
            pass
    if process.returncode:
        complaint = next((line for line in tail if "error" in line.lower() or "not found" in line.lower()), "no reason")
        raise JarsMissingError(f"Ivy ended with code {process.returncode}: {complaint.strip()}")


def _tee(lines: Iterable[str], tail: deque[str]) -> Iterator[str]:
    for line in lines:
        tail.append(line)
        yield line


def _module(jars: Sequence[Jar]) -> str:
    """Return an Ivy file of direct dependencies; jars that differ by classifier alone share one."""
    dependencies = []
    for (group, artifact, version), same in groupby(
        sorted(jars), key=lambda jar: (jar.group, jar.artifact, jar.version)
    ):
        artifacts = "".join(
            f"<artifact name={quoteattr(artifact)} type='jar' ext='jar'"
            + (f" m:classifier={quoteattr(jar.classifier)}/>" if jar.classifier else "/>")
            for jar in same
        )
        dependencies.append(
            f"<dependency org={quoteattr(group)} name={quoteattr(artifact)} rev={quoteattr(version)} "
            f"transitive='false'>{artifacts}</dependency>"
        )
    return (
        "<ivy-module version='2.0' xmlns:m='http://ant.apache.org/ivy/maven'>"
        f"<info organisation='recsys' module='neo4j'/><dependencies>{''.join(dependencies)}</dependencies></ivy-module>"
    )


def _settings(repository: str | None) -> str:
    root = f" root={quoteattr(repository)}" if repository else ""
    return (
        "<ivysettings><settings defaultResolver='maven'/><property name='ivy.checksums' value='sha1'/>"
        f"<caches defaultCacheDir='${{ivy.settings.dir}}/ivy'/><resolvers><ibiblio name='maven' m2compatible='true' "
        f"usepoms='false' useMavenMetadata='false'{root}/></resolvers></ivysettings>"
    )


def _verify(jars: Sequence[Jar], partial: Path) -> None:
    for jar in jars:
        path = partial / "jars" / jar.file_name
        if not path.is_file():
            raise JarsMissingError(f"{jar.file_name} did not arrive")
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != jar.sha256:
            shutil.rmtree(partial)
            raise JarsMissingError(f"{jar.file_name} has SHA-256 {found}, pinned is {jar.sha256}")
