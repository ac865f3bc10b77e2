import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import neo4j
import pytest

from recsys.graph.client import Graph
from recsys.graph.ledger import Chunk, write_chunk
from recsys.ingest.clean import CLICKS, LINKS, clicks_by
from recsys.ingest.clicks import load_clicks
from recsys.ingest.job import Job
from recsys.ingest.layout import Layout
from recsys.ingest.links import load_links
from recsys.ingest.read import Source
from recsys.ingest.retry import Mended, NothingMendedError, retry_rejects
from recsys.ingest.rules import Rules

LOG = "query;item;when\nlamp;i1;2023-11-14\nlamp;i1;bad\nlamp;i1;bad\nscarf;;\nlamp;i1\n"


def clicks(graph: Graph) -> dict[tuple[str, str], int]:
    """Return (query text, item id) to clicks."""
    records = graph.read("MATCH (q:Query)-[c:CLICKED]->(i:Item) RETURN q.text AS q, i.id AS i, c.clicks AS n")
    return {(r["q"], r["i"]): r["n"] for r in records}


def mend(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change every row as it stands in the folder."""
    path = folder / "rows.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        change(line)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def rightly(line: dict[str, Any]) -> None:
    """Mend the row of LOG."""
    if isinstance(line["row"], str):
        line["row"] = line["row"].strip() + ";\n"
    else:
        line["row"]["item"] = "i1"
        line["row"]["when"] = ""


@pytest.fixture
def folder(job: Job, sources: Callable, tmp_path: Path) -> Path:
    """The batch that LOG leaves: two bad times, a missing item and a missing field."""
    from recsys.ingest.files import find_files
    from recsys.ingest.read import map_columns

    (tmp_path / "a.csv").write_text(LOG)
    files = find_files([str(tmp_path / "a.csv")], Layout(delimiter=";"))
    found = load_clicks(job, map_columns(files, CLICKS, {"timestamp": "when"})).rejects
    assert found is not None
    return found


def test_mended_rows_go_in_once(job: Job, graph: Graph, folder: Path, rejected: Callable) -> None:
    """Rows that mending made equal count one each, bad ones wait on, and a second retry changes nothing."""
    mend(folder, lambda line: rightly(line) if line["reason"] != "empty_item_id" else None)
    summary = retry_rejects(job, folder, Mended())
    assert summary is not None
    assert (summary.kept, summary.set_aside["empty_item_id"].rows) == (3, 1)
    assert clicks(graph) == {("lamp", "i1"): 4}
    assert [line.get("retried") for line in rejected(folder)] == [1, 1, None, 1]
    with pytest.raises(NothingMendedError, match="empty_item_id 1"):
        retry_rejects(job, folder, Mended())
    mend(folder, lambda line: line["row"].update(item="i9") if line["reason"] == "empty_item_id" else None)
    assert retry_rejects(job, folder, Mended()) is not None
    assert retry_rejects(job, folder, Mended()) is None
    assert clicks(graph) == {("lamp", "i1"): 4, ("scarf", "i9"): 1}
    assert [line.get("retried") for line in rejected(folder)] == [1, 1, 2, 1]


def test_equal_rows_of_two_retries_both_count(job: Job, graph: Graph, folder: Path) -> None:
    """What tells rows apart is their place in the batch, not their content."""
    for id_ in (1, 2):
        mend(folder, lambda line, id_=id_: line["row"].update(when="") if line["id"] == id_ else None)
        assert retry_rejects(job, folder, Mended()) is not None
    assert clicks(graph) == {("lamp", "i1"): 3}


def test_a_flag_mends_what_was_read_wrongly(job: Job, graph: Graph, tmp_path: Path, sources: Callable) -> None:
    """Times in another form go in once the form is named, and other columns once they are."""
    path = tmp_path / "a.csv"
    path.write_text("query,item,sku,time\nlamp,i1,,2023-11-14\nlamp,,i2,14.11.2023\n")
    folder = load_clicks(job, sources(CLICKS, path)).rejects
    assert folder is not None
    mended = Mended({"item_id": "sku"}, rules=Rules(timestamp_format="%d.%m.%Y"))
    assert retry_rejects(job, folder, mended) is not None
    assert clicks(graph) == {("lamp", "i1"): 1, ("lamp", "i2"): 1}


def test_a_retry_broken_off_anywhere_counts_each_row_once(
    job: Job, graph: Graph, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after any chunk, and before or after marking, it ends the same, whatever is mended in between."""
    mend(folder, lambda line: rightly(line) if line["id"] != 3 else None)
    job = replace(job, chunk_rows=1)

    def die_after_one(graph: Graph, statement: str, chunk: Chunk) -> neo4j.SummaryCounters | None:
        counts = write_chunk(graph, statement, chunk)
        if counts is not None:
            raise KeyboardInterrupt
        return counts

    def die(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    for name, death in (("job.write_chunk", die_after_one),) * 3 + (("retry._mark", die), ("retry.save_batch", die)):
        with monkeypatch.context() as patch:
            patch.setattr(f"recsys.ingest.{name}", death)
            with pytest.raises(KeyboardInterrupt):
                retry_rejects(job, folder, Mended())
        mend(folder, lambda line: rightly(line) if line["id"] == 3 else None)
    assert retry_rejects(job, folder, Mended()) is not None
    assert clicks(graph) == {("lamp", "i1"): 4}
    assert retry_rejects(job, folder, Mended()) is not None  # the row that was mended in between
    assert clicks(graph) == {("lamp", "i1"): 4, ("scarf", "i1"): 1}
    assert retry_rejects(job, folder, Mended()) is None


def test_robots_come_back_only_when_asked_for(job: Job, graph: Graph, sources: Callable, tmp_path: Path) -> None:
    """They are no mistakes to mend."""
    (tmp_path / "a.csv").write_text("query,item,session\na,i1,s1\na,i2,s1\nb,i1,s2\n")
    found: list[Source] = sources(CLICKS, tmp_path / "a.csv")
    folder = load_clicks(replace(job, max_session_clicks=1), found).rejects
    assert folder is not None
    assert retry_rejects(job, folder, Mended()) is None
    assert retry_rejects(job, folder, Mended(reasons=["robot_session"])) is not None
    assert clicks(graph) == {("a", "i1"): 1, ("a", "i2"): 1, ("b", "i1"): 1}


def test_events_and_links_are_retried_as_they_were_read(
    job: Job, graph: Graph, sources: Callable, tmp_path: Path
) -> None:
    """The weights of the ingest hold; a fixed relation stays; rows of other events neither go in nor wait as bad."""
    rules = Rules(events={"buy": 3})
    (tmp_path / "a.csv").write_text("query,item,event\na,i1,buy\na,,buy\nb,i1,view\n")
    clicked = load_clicks(job, sources(clicks_by(rules), tmp_path / "a.csv"), rules)
    (tmp_path / "l.csv").write_text("source,target\ni1,x\ni1,\n")
    linked = load_links(job, sources(LINKS, tmp_path / "l.csv", relation="brand"))
    assert clicked.rejects is not None
    assert linked.rejects is not None
    assert clicked.skipped == {"other_event": 1}
    mend(clicked.rejects, lambda line: line["row"].update(item="i1"))
    mend(linked.rejects, lambda line: line["row"].update(target="y"))
    retry_rejects(job, clicked.rejects, Mended())
    retry_rejects(job, linked.rejects, Mended())
    assert clicks(graph) == {("a", "i1"): 6}
    found = graph.read("MATCH (:Item {id: 'i1'})-[:brand]->(a:Anchor) RETURN collect(a.id) AS ids")
    assert sorted(found[0]["ids"]) == ["x", "y"]
