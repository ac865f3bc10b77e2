"""The pinned jars of Neo4j, and how they get into the cache."""

from __future__ import annotations

import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from recsys.core.java import find_java
from recsys.graph.jars import VERSION, Jar, JarsMissingError, ensure_jars, jars_directory, pinned_jars

CONTENT = {"": b"plain", "linux-x86_64": b"native"}


@pytest.fixture
def jars() -> list[Jar]:
    """Two small jars of one module, one with a classifier."""
    return [Jar("org.example", "thing", "1.0", c, hashlib.sha256(data).hexdigest()) for c, data in CONTENT.items()]


@pytest.fixture
def mirror(tmp_path: Path, jars: list[Jar]) -> Path:
    """A Maven repository on disk that has these jars."""
    folder = tmp_path / "mirror" / "org" / "example" / "thing" / "1.0"
    folder.mkdir(parents=True)
    for jar in jars:
        data = CONTENT[jar.classifier]
        (folder / jar.file_name).write_bytes(data)
        digest = hashlib.sha1(data, usedforsecurity=False).hexdigest()
        (folder / f"{jar.file_name}.sha1").write_text(digest)
    return tmp_path / "mirror"


def test_every_pinned_line_is_whole():
    """Each jar has well-formed coordinates and a SHA-256, and no two share a file name."""
    jars = pinned_jars()
    assert len({jar.file_name for jar in jars}) == len(jars) == 213
    for jar in jars:
        assert re.fullmatch(r"[0-9a-f]{64}", jar.sha256), jar
        assert all(re.fullmatch(r"[\w.-]+", part) for part in (jar.group, jar.artifact, jar.version)), jar
    assert [jar.version for jar in jars if (jar.group, jar.artifact) == ("org.neo4j", "neo4j")] == [VERSION]


def test_jars_come_from_the_mirror_once(tmp_path: Path, mirror: Path, jars: list[Jar]):
    """The directory holds exactly the listed jars, nothing partial stays, and it is not fetched again."""
    java = find_java()
    directory = ensure_jars(java, mirror.as_uri(), jars=jars, cache=tmp_path / "a [cache]")
    assert {path.name: path.read_bytes() for path in directory.iterdir()} == {
        "thing-1.0.jar": b"plain",
        "thing-1.0-linux-x86_64.jar": b"native",
    }
    assert not list(directory.parent.glob("*.partial"))
    assert ensure_jars(java, "file:///gone/", jars=jars, cache=tmp_path / "a [cache]") == directory


def test_two_at_once_fetch_once(tmp_path: Path, mirror: Path, jars: list[Jar]):
    """Whoever comes second waits for the first and finds the jars in place."""
    java = find_java()
    with ThreadPoolExecutor(2) as pool:
        fetches = [pool.submit(ensure_jars, java, mirror.as_uri(), jars=jars, cache=tmp_path) for _ in range(2)]
    assert {fetch.result() for fetch in fetches} == {jars_directory(tmp_path)}


def test_another_checksum_is_refused(tmp_path: Path, mirror: Path, jars: list[Jar]):
    """A jar that is not the pinned one never gets into place, and is not kept for the next try either."""
    wrong = [jars[0], Jar("org.example", "thing", "1.0", "linux-x86_64", "0" * 64)]
    with pytest.raises(JarsMissingError, match=r"thing-1\.0-linux-x86_64\.jar has SHA-256 .* pinned is 000"):
        ensure_jars(find_java(), mirror.as_uri(), jars=wrong, cache=tmp_path)
    assert not list(tmp_path.glob("neo4j-*/**/*.jar"))


def test_a_jar_that_cannot_be_had_names_the_ways_out(tmp_path: Path, mirror: Path, jars: list[Jar]):
    """The error names the jar, the proxy and the mirror setting; what arrived serves the next try."""
    absent = Jar("org.example", "absent", "2.0", "", "0" * 64)
    with pytest.raises(JarsMissingError, match=r"absent.*JAVA_TOOL_OPTIONS.*neo4j\.repository"):
        ensure_jars(find_java(), mirror.as_uri(), jars=[*jars, absent], cache=tmp_path)
    assert not jars_directory(tmp_path).exists()
    assert ensure_jars(find_java(), mirror.as_uri(), jars=jars, cache=tmp_path).is_dir()
