import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from recsys.graph.client import Graph
from recsys.ingest.clean import CLICKS, ITEMS
from recsys.ingest.clicks import load_clicks
from recsys.ingest.items import load_items
from recsys.ingest.job import Job


def items(graph: Graph) -> dict[str, dict[str, object]]:
    """Return the items' properties by id, without rows."""
    records = graph.read("MATCH (i:Item) RETURN i.id AS id, properties(i) AS p")
    return {r["id"]: {k: v for k, v in r["p"].items() if k not in ("id", "row")} for r in records}


def test_further_columns_become_properties(job: Job, graph: Graph, sources: Callable, tmp_path: Path) -> None:
    """Lists stay lists, nested values become JSON text, empty ones are left out, names are data."""
    rows = [
        {"item_id": "1", "title": "One", "tags": ["a", "b"], "text": "long", "size": {"w": 2}, "n`})": 7},
        {"item_id": "2", "title": "Two", "tags": [], "text": None, "size": None, "n`})": None},
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "items.parquet")
    summary = load_items(job, sources(ITEMS, tmp_path / "items.parquet"))
    assert items(graph) == {
        "1": {"text": "One", "tags": ["a", "b"], "text_": "long", "size": json.dumps({"w": 2}), "n`})": 7},
        "2": {"text": "Two"},
    }
    assert summary.created["nodes_created"] == 2


def test_the_table_is_the_authority(job: Job, graph: Graph, sources: Callable, tmp_path: Path) -> None:
    """Its title replaces that of a click, of rows with one id the last counts, and no item needs a click."""
    (tmp_path / "clicks.csv").write_text("query,item_id,title\nlamp,1,Clicked\n")
    (tmp_path / "items.csv").write_text("item_id,title,price\n1,Old,1\n1,New,2\n2,Unclicked,\n3,,9\n")
    load_clicks(job, sources(CLICKS, tmp_path / "clicks.csv"))
    summary = load_items(job, sources(ITEMS, tmp_path / "items.csv"))
    expected = {"1": {"text": "New", "price": "2"}, "2": {"text": "Unclicked"}}
    assert items(graph) == expected
    assert (summary.kept, summary.distinct["items"], summary.set_aside["empty_item_title"].rows) == (3, 2, 1)
    load_clicks(job, sources(CLICKS, tmp_path / "clicks.csv"))
    assert load_items(job, sources(ITEMS, tmp_path / "items.csv")).created.total() == 0
    assert items(graph) == expected
