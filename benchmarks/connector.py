"""Our way of writing clicks against the official Spark connector of Neo4j: same pairs, same server, one run.

Every contestant merges the pairs between nodes that are there. Before a timed round the relationships are deleted and a
tenth of them is written again, so that both find a warm server.

Usage: python benchmarks/connector.py [CLICKS]
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f

from recsys.core.settings import Neo4jSettings, SparkSettings
from recsys.graph import write
from recsys.graph.batches import Batch, begin
from recsys.graph.client import Graph
from recsys.graph.schema import ensure_schema
from recsys.graph.server import Server, start, stop
from recsys.ingest import clicks as ours
from recsys.ingest.job import Job, Stage, write_stage
from recsys.ingest.sample import write_sample
from recsys.ingest.spark import spark_session
from recsys.ingest.summary import Summary

CONNECTOR = "org.neo4j:neo4j-connector-apache-spark_2.13:5.3.10_for_spark_3"
CLICKS = 1_000_000
ROUNDS = 2
CHUNK_ROWS = 20_000


def session() -> SparkSettings:
    """Return settings of a Spark that has the connector; Spark itself brings its logging interface."""
    return SparkSettings(conf={"spark.jars.packages": CONNECTOR, "spark.jars.excludes": "org.slf4j:slf4j-api"})


def pairs_of(spark: SparkSession, path: Path) -> DataFrame:
    """Return one row per query and item: query_id, item_id, clicks, last_at (ms)."""
    log = spark.read.parquet(str(path)).withColumnRenamed("query_text", "query_id")
    last = f.max(f.unix_millis(f.col("timestamp").cast("timestamp"))).alias("last_at")
    return log.groupBy("query_id", "item_id").agg(f.count("*").alias("clicks"), last)


class Contest:
    """Two ways to merge the same pairs.

    Args:
        job: Writes our way.
        server: Where the connector writes.
        pairs: What to write.
    """

    def __init__(self, job: Job, server: Server, pairs: DataFrame) -> None:
        self._job = job
        self._server = server
        self._pairs = pairs.persist()
        self._some = pairs.where(f.abs(f.xxhash64("query_id", "item_id")) % 10 == 0).persist()
        self._written = 0
        self.count, _ = self._pairs.count(), self._some.count()
        kinds = (
            ("queries", "query_id", write.QUERIES, ours._nodes),
            ("items", "item_id", write.ITEMS, ours._items),
        )
        for label, key, statement, parameters in kinds:
            ends = f.min("last_at").alias("first_seen"), f.max("last_at").alias("last_seen")
            nodes = pairs.groupBy(key, f.col(key).alias("text")).agg(*ends)
            self._stage(Stage(label, nodes, (key,), statement, parameters))

    def recsys(self, pairs: DataFrame) -> None:
        """Write chunk by chunk through the ledger, as ``recsys ingest clicks`` does."""
        stage = Stage("pairs", pairs, ("query_id", "item_id"), write.CLICKS, ours._pairs, "relationships_created")
        self._stage(stage)

    def connector(self, pairs: DataFrame) -> None:
        """Write with the connector as its guide says: merge between nodes matched by key, one partition."""
        options = {
            "url": self._server.uri,
            "authentication.basic.username": self._server.user,
            "authentication.basic.password": self._server.password,
            "batch.size": str(CHUNK_ROWS),
            "relationship": "CLICKED",
            "relationship.save.strategy": "keys",
            "relationship.source.save.mode": "Match",
            "relationship.source.labels": ":Query",
            "relationship.source.node.keys": "query_id:id",
            "relationship.target.save.mode": "Match",
            "relationship.target.labels": ":Item",
            "relationship.target.node.keys": "item_id:id",
            "relationship.properties": "clicks,last_at",
        }
        writer = pairs.coalesce(1).write.format("org.neo4j.spark.DataSource").mode("Overwrite").options(**options)
        writer.save()

    def rate(self, way: Callable[[DataFrame], None]) -> float:
        """Return pairs per second from nodes without relationships, after a tenth of the pairs as warm-up."""
        self._clear()
        way(self._some)
        self._clear()
        began = time.perf_counter()
        way(self._pairs)
        seconds = time.perf_counter() - began
        found = self._graph.read("MATCH (:Query)-[c:CLICKED]->(:Item) RETURN count(c) AS n")[0]["n"]
        if found != self.count:
            raise RuntimeError(f"{found} relationships instead of {self.count}")
        return self.count / seconds

    @property
    def _graph(self) -> Graph:
        assert self._job.graph is not None
        return self._job.graph

    def _stage(self, stage: Stage) -> None:
        self._written += 1
        batch = Batch(f"bench-{self._written}", "clicks", (str(self._written),), ("-",), CHUNK_ROWS)
        begin(self._graph, batch)
        write_stage(
            self._job,
            stage,
            Summary("clicks", dry_run=False, files=0, read=0, kept=0, set_aside={}, seconds=0.0),
            batch,
        )

    def _clear(self) -> None:
        self._graph.command("MATCH (:Query)-[c:CLICKED]->() CALL (c) { DELETE c } IN TRANSACTIONS OF 20000 ROWS")


def rates(clicks: int) -> dict[str, float]:
    """Return pairs per second of both, the best of a few rounds in turn."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder)
        write_sample(workspace / "sample", clicks=clicks, seed=0, format="parquet")
        server = start(workspace, Neo4jSettings())
        try:
            with (
                Graph(server.uri, server.user, server.password) as graph,
                spark_session(session(), workspace) as spark,
            ):
                ensure_schema(graph)
                job = Job(lambda: spark, graph, workspace, CHUNK_ROWS, say=lambda line: None)
                contest = Contest(job, server, pairs_of(spark, workspace / "sample" / "clicks.parquet"))
                found = [(contest.rate(contest.recsys), contest.rate(contest.connector)) for _ in range(ROUNDS)]
        finally:
            stop(workspace)
    return {"recsys": max(ours for ours, _ in found), "connector": max(theirs for _, theirs in found)}


def main() -> None:
    """Print the rates and their ratio."""
    found = rates(int(sys.argv[1]) if len(sys.argv) > 1 else CLICKS)
    for name, rate in found.items():
        print(f"{name:10} {rate:10,.0f} pairs/s  {rate / found['connector']:5.2f}x")


if __name__ == "__main__":
    main()
