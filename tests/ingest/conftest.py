"""One Spark for all tests of this room, and the graph as something to compare."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from recsys.core.settings import SparkSettings
from recsys.graph.client import Graph
from recsys.ingest.clean import Kind
from recsys.ingest.files import find_files
from recsys.ingest.job import Job
from recsys.ingest.read import Source, map_columns
from recsys.ingest.spark import spark_session

Dump = dict[str, list[str]]


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """A small local Spark."""
    settings = SparkSettings(master="local[2]", driver_memory="1g", conf={"spark.sql.shuffle.partitions": "2"})
    with spark_session(settings, tmp_path_factory.mktemp("spark")) as session:
        yield session


@pytest.fixture
def mounted(spark: SparkSession) -> Callable[[Path], str]:
    """Give a folder an address of another file system, which is read by Hadoop alone."""

    def mount(folder: Path) -> str:
        name = f"m{uuid.uuid4().hex}"
        spark.conf.set(f"fs.viewfs.mounttable.{name}.link./data", folder.as_uri())
        return f"viewfs://{name}/data"

    return mount


@pytest.fixture
def job(spark: SparkSession, graph: Graph, tmp_path: Path) -> Job:
    """An ingest into the empty graph, in chunks of three."""
    return Job(lambda: spark, graph, tmp_path / "workspace", 3, lambda line: None)


@pytest.fixture
def sources() -> Callable[..., list[Source]]:
    """Find and map the files of a kind."""

    def find(kind: Kind, *paths: Path | str, relation: str | None = None, **named: str) -> list[Source]:
        return map_columns(find_files([str(path) for path in paths]), kind, named, relation)

    return find


@pytest.fixture
def dump(graph: Graph) -> Callable[[], Dump]:
    """Return all nodes and relationships but the ledger; rows only as being dense."""

    def nodes(label: str) -> list[str]:
        records = graph.read(f"MATCH (n:{label}) RETURN properties(n) AS p")
        rows = sorted(record["p"].pop("row") for record in records)
        assert rows == list(range(len(rows)))
        return sorted(json.dumps(record["p"], sort_keys=True) for record in records)

    def edges() -> list[str]:
        records = graph.read(
            "MATCH (a)-[r]->(b) WHERE type(r) <> 'BESIDE' "
            "RETURN labels(a)[0] AS al, a.id AS a, type(r) AS t, properties(r) AS p, labels(b)[0] AS bl, b.id AS b"
        )
        return sorted(json.dumps(record.data(), sort_keys=True) for record in records)

    def registry() -> list[str]:
        records = graph.read("MATCH (x:Relation) RETURN properties(x) AS p")
        return sorted(json.dumps(record["p"], sort_keys=True) for record in records)

    def all_() -> Dump:
        labels = {label: nodes(label) for label in ("Query", "Item", "Anchor")}
        return {**labels, "edges": edges(), "relations": registry()}

    return all_


@pytest.fixture
def rejected() -> Callable[[Path | None], list[dict[str, Any]]]:
    """Return the lines of a batch of rejects."""

    def read(path: Path | None) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (path / "rows.jsonl").read_text().splitlines()] if path else []

    return read
