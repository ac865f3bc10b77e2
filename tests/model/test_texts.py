"""Ids and texts by row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recsys.graph import pages
from recsys.graph.client import Graph
from recsys.model import texts as module
from recsys.model.texts import Texts, own_pages


@pytest.fixture(params=[7, 20, 1000])
def small_pages(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of a few rows, so that 30 or 60 rows are several."""
    monkeypatch.setattr(pages, "PAGE_ROWS", request.param)
    monkeypatch.setattr(module, "PAGE_ROWS", request.param)


@pytest.mark.usefixtures("small_pages")
def test_take_equals_indexing(small: Graph, twin, tmp_path: Path):
    """Rows in any order, repeated and across the borders of pages, give their texts; no row gives none."""
    texts = Texts.fetch(small, "Query", 60, tmp_path / "q.arrow")
    rng = np.random.default_rng(0)
    for rows in (rng.integers(0, 60, 200), np.arange(60)[::-1], np.array([], dtype=np.int64)):
        assert texts.take(rows) == [twin.query_texts[row] for row in rows]
    assert texts.all_texts() == twin.query_texts
    assert len(texts) == 60


@pytest.mark.usefixtures("small_pages")
def test_items_carry_ids_and_properties(small: Graph, twin, tmp_path: Path):
    """Ids and further properties are those of the graph, in row order, and a file can be opened again."""
    Texts.fetch(small, "Item", 30, tmp_path / "i.arrow")
    texts = Texts(tmp_path / "i.arrow")
    assert texts.ids().to_pylist() == twin.item_ids
    assert [payload for page in texts.pages() for payload in page.payloads] == [{"price": row} for row in range(30)]
    assert [id_ for page in texts.pages() for id_ in page.ids] == list(texts.all_ids()) == twin.item_ids
    assert [row for page in texts.pages() for row in range(page.rows.start, page.rows.stop)] == list(range(30))
    queries = Texts.fetch(small, "Query", 60, tmp_path / "q.arrow")
    assert [payload for page in queries.pages() for payload in page.payloads] == [{}] * 60


@pytest.mark.usefixtures("small_pages")
def test_pages_are_found_among_items(small: Graph, twin, tmp_path: Path):
    """A query and an item with the same id are one page; other queries have none."""
    queries = Texts.fetch(small, "Query", 60, tmp_path / "q.arrow")
    items = Texts.fetch(small, "Item", 30, tmp_path / "i.arrow")
    np.testing.assert_equal(own_pages(queries, items), twin.self_items)


def test_ids_that_meet_by_chance_are_no_page(graph: Graph, tmp_path: Path):
    """The same id with another text is another thing; case and blanks make no difference."""
    graph.write("CREATE (:Query {id: '1', text: 'Red  shoe', row: 0}), (:Query {id: '2', text: 'lamp', row: 1})")
    graph.write("CREATE (:Item {id: '2', text: 'Oak table', row: 0}), (:Item {id: '1', text: 'red shoe', row: 1})")
    queries = Texts.fetch(graph, "Query", 2, tmp_path / "q.arrow")
    items = Texts.fetch(graph, "Item", 2, tmp_path / "i.arrow")
    assert own_pages(queries, items).tolist() == [1, -1]


def test_later_rows_stay_out(small: Graph, twin, tmp_path: Path):
    """Only rows below the snapshot's bound are read."""
    assert Texts.fetch(small, "Query", 11, tmp_path / "q.arrow").all_texts() == twin.query_texts[:11]


def test_a_label_without_nodes_is_empty(graph: Graph, tmp_path: Path):
    """No anchors give no texts."""
    texts = Texts.fetch(graph, "Anchor", 0, tmp_path / "a.arrow")
    assert len(texts) == 0
    assert texts.all_texts() == texts.ids().to_pylist() == texts.take(np.array([], dtype=np.int64)) == []


def test_text_of_any_script_comes_back_whole(graph: Graph, tmp_path: Path):
    """Quotes, line breaks, emoji and Cypher are only text, and properties may be lists or dates."""
    nasty = ['x"}) DETACH DELETE (n) //', "zwei\nZeilen", "👟 ботинки", ""]
    graph.write(
        "UNWIND range(0, 3) AS r CREATE (i:Item {id: 'i' + r, text: $texts[r], row: r}) "
        "SET i.tags = ['a', 'b'], i.day = date('2024-02-29')",
        texts=nasty,
    )
    texts = Texts.fetch(graph, "Item", 4, tmp_path / "i.arrow")
    assert texts.all_texts() == nasty
    assert next(texts.pages()).payloads[0] == {"tags": ["a", "b"], "day": "2024-02-29"}
