"""Items, links and node texts of the invented shop."""

from __future__ import annotations

from types import SimpleNamespace

import pyarrow as pa
import pytest

from recsys.ingest.shop import build_shop
from recsys.ingest.shop_items import category_title, item_tables, link_tables, node_table
from recsys.ingest.shop_words import KINDS, MATERIALS, USES


@pytest.fixture(scope="module")
def tables() -> SimpleNamespace:
    """A shop of the default size, as rows of plain values."""
    shop = build_shop(60_000, 5)
    return SimpleNamespace(
        shop=shop,
        items=pa.concat_tables(item_tables(shop, 5)).to_pylist(),
        links=[(r["source"], r["relation"], r["target"]) for r in pa.concat_tables(link_tables(shop)).to_pylist()],
        nodes={r["node_id"]: r["title"] for r in node_table(shop).to_pylist()},
    )


def test_every_item_has_its_three_links(tables):
    """A category, a brand and a use each, beside the tree of 96 leaves, 24 groups and 8 departments."""
    ids = {item["item_id"] for item in tables.items}
    assert len(ids) == tables.shop.items
    for relation in ("category", "brand", "use"):
        assert sorted(s for s, r, _ in tables.links if r == relation) == sorted(ids)
    assert len([s for s, r, _ in tables.links if r == "parent_category"]) == 96 + 24


def test_links_lead_to_nodes_with_texts(tables):
    """Every target and every category has a text."""
    ids = {item["item_id"] for item in tables.items}
    assert {t for _, _, t in tables.links} | {s for s, _, _ in tables.links} - ids <= set(tables.nodes)
    assert all(tables.nodes.values())


def test_leaves_lead_to_departments(tables):
    """Two steps up the tree every leaf category is in a department."""
    parent = {s: t for s, r, t in tables.links if r == "parent_category"}
    leaves = {t for _, r, t in tables.links if r == "category"}
    assert {parent[parent[leaf]].split(":")[0] for leaf in leaves} == {"department"}


def test_properties_agree_with_links(tables):
    """An item's brand and category are those of the nodes that it links to."""
    targets = {(s, r): t for s, r, t in tables.links}
    for item in tables.items:
        assert tables.nodes[targets[item["item_id"], "brand"]] == item["brand"]
        assert tables.nodes[targets[item["item_id"], "category"]] == item["category"]
        assert item["price"] > 0


def test_titles_speak_of_the_structure_and_never_in_synonyms(tables):
    """A title names the kind always, brand and material mostly, the use seldom, and holds no synonym of its terms."""
    ranks = {f"p{number:07d}": rank for rank, number in enumerate(tables.shop.number)}
    named = {"brand": 0, "material": 0, "use": 0}
    for item in tables.items:
        rank = ranks[item["item_id"]]
        kind, use = KINDS[tables.shop.kind[rank]].term, USES[tables.shop.use[rank]]
        material, title = MATERIALS[tables.shop.material[rank]], f" {item['title'].lower()} "
        assert f" {kind.name} " in title
        assert not [s for term in (kind, use, material) for s in term.synonyms if f" {s} " in title]
        named["brand"] += item["brand"].lower() in title
        named["material"] += f" {material.name} " in title
        named["use"] += f" for {use.name} " in title
    shares = {name: count / len(tables.items) for name, count in named.items()}
    assert shares == pytest.approx({"brand": 0.8, "material": 0.6, "use": 0.15}, abs=0.05)


def test_a_category_text_holds_a_synonym():
    """Leaf categories are called by both names, so that their text knows what titles do not."""
    assert category_title(0) == "Sofas and couches"
