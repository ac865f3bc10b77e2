from __future__ import annotations

import bz2
import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from recsys.graph.client import Graph
from recsys.ingest.clean import CLICKS, LINKS, NODES
from recsys.ingest.clicks import load_clicks
from recsys.ingest.files import FileUnreadableError, InputFile, NoRowsError, find_files
from recsys.ingest.hadoop import Hadoop
from recsys.ingest.job import Job
from recsys.ingest.layout import Layout
from recsys.ingest.links import load_links
from recsys.ingest.read import map_columns
from recsys.ingest.remote import copies, pieces
from recsys.ingest.retry import Mended, retry_rejects

NOISE = np.random.default_rng(7).bytes(300_000)
LINES = b"".join(b"%d,line\r\n" % n for n in range(25_000))
CONTENTS = {
    "a.csv": b'q,i\r\n"x\ny",1\r\n',
    "open end.csv": b"q,i\nx,1",
    "blank.csv": b"\n\n\n",
    "one.csv": b"\n",
    "mark.csv": b"\xef\xbb\xbfq,i\n",
    "mark open.csv": b"\xef\xbb\xbfq,i",
    "long.csv": LINES,
    "noise.csv": NOISE,
    "packed.csv.gz": gzip.compress(LINES),
    "packed.csv.bz2": bz2.compress(NOISE),
    "packed.csv.zst": bytes(pa.compress(LINES, "zstd")),
    "not packed.csv.gz": NOISE,
    "table.parquet": NOISE,
    "table.snappy": NOISE,
    "no ending": LINES,
    "[odd] {name}*?\\.csv": b"q\n",
    "50%25 größe.csv": b"q\n",
    "dt=2024-01-01/a.csv": b"q\n",
    "dt=2024-01-01/eu=1/a.csv": b"another\n",
}


def remote_files(address: str) -> list[InputFile]:
    """Return CONTENTS as files at ``address``."""
    return [InputFile(Path(f"/data/{name}"), "csv", (), address=f"{address}/{name}") for name in CONTENTS]


def test_bytes_come_as_they_are(tmp_path: Path, mounted: Callable[[Path], str], spark: SparkSession) -> None:
    """Whatever they are and whatever the file is called; but for a mark of UTF-8, which says nothing."""
    address = mounted(tmp_path)
    for name, content in CONTENTS.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)

    def read(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for found, copy, whole in copies(batches):
            columns = [[found], [copy.name], [copy.read_bytes()], [whole]]
            types = (pa.string(), pa.string(), pa.binary(), pa.bool_())
            arrays = [pa.array(column, type_) for column, type_ in zip(columns, types, strict=True)]
            yield pa.RecordBatch.from_arrays(arrays, names=["address", "name", "content", "whole"])

    table = pieces(spark, remote_files(address))
    rows = table.mapInArrow(read, "address string, name string, content binary, whole boolean").collect()
    assert all(row["whole"] and row["name"] == row["address"].rpartition("/")[2] for row in rows)
    found = {row["address"].removeprefix(f"{address}/"): bytes(row["content"]) for row in rows}
    assert found.keys() == CONTENTS.keys()
    for name, content in CONTENTS.items():
        assert found[name] == content.removeprefix(b"\xef\xbb\xbf"), name


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Clicks in every format, with bad rows, a record over lines, folders by date and several row groups."""
    rows = [
        {
            "query": f"query {n % 13}",
            "item": f"i{n * 5 % 11}",
            "session": f"s{n // 3 or 1}",
            "time": 1_700_000_000 + 60 * n,
        }
        for n in range(120)
    ]
    lines = [",".join(map(str, row.values())) for row in rows]
    header = ",".join(rows[0])
    for folder in ("dt=2024-01-01", "dt=2024-01-02"):
        (tmp_path / "logs" / folder).mkdir(parents=True)
    first, second = tmp_path / "logs" / "dt=2024-01-01", tmp_path / "logs" / "dt=2024-01-02"
    odd = ['"over\ntwo lines",i1,,', "no item,,,", "too,many,,,,", '"broken,i1,,']
    (first / "a.csv").write_bytes("\r\n".join([header, *lines[:20], *odd, lines[20]]).encode())
    (first / "b.tsv.gz").write_bytes(gzip.compress("\n".join([header, *lines[21:40]]).replace(",", "\t").encode()))
    (second / "a.csv.bz2").write_bytes(bz2.compress(b"\n".join([header.encode(), lines[40].encode(), b"\xff,i1,,"])))
    packed = "".join(json.dumps(row) + "\n" for row in rows[41:80]) + "[]\n"
    (second / "b.jsonl.zst").write_bytes(bytes(pa.compress(packed.encode(), "zstd")))
    pq.write_table(pa.Table.from_pylist(rows[80:]), second / "c.parquet", row_group_size=7)
    return tmp_path / "logs"


def test_the_graph_is_that_of_the_same_files_here(
    logs: Path,
    mounted: Callable[[Path], str],
    job: Job,
    graph: Graph,
    dump: Callable,
    rejected: Callable,
) -> None:
    """Node by node; rows set aside are the same, come back alike, and neither way adds what the other brought in."""
    job = replace(job, session_window=30 * 60_000, max_session_clicks=4)
    address = mounted(logs.parent)
    here = map_columns(find_files([str(logs)]), CLICKS, {})
    there = map_columns(find_files([f"{address}/logs"], hadoop=Hadoop(job.spark)), CLICKS, {})
    local = load_clicks(job, here)
    wanted = dump()
    graph.write("MATCH (n) WHERE NOT n:RowCounter DETACH DELETE n")
    graph.write("MATCH (c:RowCounter) SET c.next = 0, c.adopted = 0")
    remote = load_clicks(job, there)
    assert dump() == wanted
    assert len(wanted["edges"]) > 100
    aside, far = rejected(local.rejects), rejected(remote.rejects)
    assert far == [{**row, "file": row["file"].replace(str(logs), f"{address}/logs")} for row in aside]
    told = {"empty_item_id", "too_many_fields", "broken_quotes", "not_utf8", "not_json", "robot_session"}
    assert {row["reason"] for row in far} == told
    again = load_clicks(job, here)
    assert (again.files_in_already, again.files_new) == (5, 0)
    assert dump() == wanted
    assert remote.rejects is not None
    retried = retry_rejects(job, remote.rejects, Mended(reasons=("robot_session",)))
    assert retried is not None
    assert retried.kept == remote.set_aside["robot_session"].rows


def test_links_and_their_texts_come_from_two_places(
    tmp_path: Path, mounted: Callable[[Path], str], job: Job, graph: Graph
) -> None:
    """A link table there, a table of nodes here."""
    (tmp_path / "links.csv").write_text("i1,HAS_TAG,t1\ni2,HAS_TAG,t1\n")
    (tmp_path / "nodes.csv").write_text("node_id,title\nt1,Tag\n")
    layout = Layout(columns=("source", "relation", "target"))
    files = find_files([f"{mounted(tmp_path)}/links.csv"], layout, Hadoop(job.spark))
    nodes = map_columns(find_files([str(tmp_path / "nodes.csv")]), NODES, {})
    load_links(job, map_columns(files, LINKS, {}), nodes)
    (tag,) = graph.read("MATCH (:Anchor)-[r:HAS_TAG]->(t:Anchor) RETURN count(r) AS links, collect(t.text)[0] AS text")
    assert (tag["links"], tag["text"]) == (2, "Tag")


def test_a_file_that_breaks_off_or_changes_is_named(
    tmp_path: Path, mounted: Callable[[Path], str], job: Job, graph: Graph
) -> None:
    """Nothing of the other files is written then."""
    address, hadoop = mounted(tmp_path), Hadoop(job.spark)
    (tmp_path / "whole.csv").write_text("query,item\nlamp,1\n")
    half = tmp_path / "half.csv.gz"
    half.write_bytes(gzip.compress(b"query,item\n" + b"lamp,1\n" * 5_000 + NOISE)[:-9_000])
    sources = map_columns(find_files([address], hadoop=hadoop), CLICKS, {})
    with pytest.raises(FileUnreadableError, match=rf"{address}/half\.csv\.gz cannot be read"):
        load_clicks(job, sources)
    half.unlink()
    (tmp_path / "header.csv").write_text("query,item\n")
    with pytest.raises(NoRowsError, match=f"{address}/header.csv: there are no rows"):
        load_clicks(job, map_columns(find_files([f"{address}/header.csv"], hadoop=hadoop), CLICKS, {}))
    assert graph.read("MATCH (q:Query) RETURN count(q) AS n")[0]["n"] == 0


def test_a_file_that_grows_while_it_is_read_is_not_whole(
    tmp_path: Path, mounted: Callable[[Path], str], spark: SparkSession
) -> None:
    """What came is not what was promised, so none of it counts."""
    (tmp_path / "a.csv").write_text("query,item\nlamp,1\n")
    table = pieces(spark, [InputFile(Path("/data/a.csv"), "csv", (), address=f"{mounted(tmp_path)}/a.csv")])
    with (tmp_path / "a.csv").open("a") as log:
        log.write("oak,2\n")

    def read(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _, _, whole in copies(batches):
            yield pa.RecordBatch.from_arrays([pa.array([whole])], names=["whole"])

    assert [row["whole"] for row in table.mapInArrow(read, "whole boolean").collect()] == [False]


def test_commands_take_addresses(
    logs: Path, mounted: Callable[[Path], str], recsys: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside paths, and for clicks, items and links; a column that is not there is told before anything is read."""
    monkeypatch.chdir(logs.parent)
    address = f"{mounted(logs.parent)}/logs"
    done = recsys("ingest", "clicks", f"{address}/dt=2024-01-0[12]", "--dry-run", "--json")
    assert (done.code, done.json()["files"], done.json()["kept"]) == (0, 5, 121)
    paths = (f"{address}/dt=2024-01-01/a.csv", str(logs / "dt=2024-01-02" / "c.parquet"))
    assert recsys("ingest", "items", *paths, "--item-title", "query", "--dry-run").code == 0
    done = recsys("ingest", "links", f"{address}/**/*.csv", "--dry-run")
    assert (done.code, f"{address}/dt=2024-01-01/a.csv" in done.err) == (2, True)
    done = recsys("ingest", "clicks", "s3a://bucket/logs", "--dry-run")
    assert (done.code, "hadoop-aws" in done.err, "Traceback" in done.err) == (1, True, False)
    done = recsys("ingest", "clicks", address, "--follow")
    assert (done.code, "file system that is not read" in done.err) == (2, True)
