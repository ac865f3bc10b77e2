"""Items, links and node texts of the invented shop as tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from recsys.ingest.shop import Ints, Shop, generator
from recsys.ingest.shop_queries import plural
from recsys.ingest.shop_words import COLOURS, DEPARTMENTS, KINDS, MATERIALS, SERIES, SIZES, USES

ITEMS_PER_TABLE = 50_000
TITLE_SHARES = {"brand": 0.8, "material": 0.6, "colour": 0.7, "use": 0.15}
"How often a title names them; the kind, the series and the size it always names."


def item_ids(numbers: Ints) -> Any:
    """Return the ids of items with these :attr:`Shop.number` as a pyarrow string array."""
    return pa.array(np.char.mod("p%07d", numbers))


def item_tables(shop: Shop, seed: int) -> Iterator[Any]:
    """Yield the items in order of their ids: item_id, title, brand, category, material, colour, size, price."""
    for number, rows in enumerate(_by_id(shop)):
        named = {
            "brand": pa.array(shop.brands).take(pa.array(shop.brand[rows])),
            "category": pa.array([category_title(k) for k in range(len(KINDS))]).take(pa.array(shop.kind[rows])),
            "material": _names([m.name for m in MATERIALS], shop.material[rows]),
            "colour": _names(COLOURS, shop.colour[rows]),
            "size": _names(SIZES, shop.size[rows]),
        }
        title = _titles(shop, rows, generator(seed, 4, number))
        ids = item_ids(shop.number[rows])
        yield pa.table({"item_id": ids, "title": title, **named, "price": pa.array(shop.price[rows] / 100)})


def link_tables(shop: Shop) -> Iterator[Any]:
    """Yield source, relation, target: first the category tree, then each item's category, brand and use."""
    tree = {(_group_id(k.group), _root_id(k.department)) for k in KINDS}
    tree |= {(_leaf_id(k), _group_id(kind.group)) for k, kind in enumerate(KINDS)}
    sources, targets = zip(*sorted(tree), strict=True)
    yield _links(pa.array(sources), "parent_category", pa.array(targets))
    leaves = pa.array([_leaf_id(k) for k in range(len(KINDS))])
    brands = pa.array([_node_id("brand", name) for name in shop.brands])
    uses = pa.array([_node_id("use", use.name) for use in USES])
    for rows in _by_id(shop):
        ids = item_ids(shop.number[rows])
        yield _links(ids, "category", leaves.take(pa.array(shop.kind[rows])))
        yield _links(ids, "brand", brands.take(pa.array(shop.brand[rows])))
        yield _links(ids, "use", uses.take(pa.array(shop.use[rows])))


def node_table(shop: Shop) -> Any:
    """Return node_id and title of everything that links point to and of the category tree."""
    titles = {_root_id(d): department.name for d, department in enumerate(DEPARTMENTS)}
    titles |= {_group_id(k.group): k.group for k in KINDS}
    titles |= {_leaf_id(k): category_title(k) for k in range(len(KINDS))}
    titles |= {_node_id("brand", name): name for name in shop.brands}
    titles |= {_node_id("use", use.name): f"For {use.name}" for use in USES}
    return pa.table({"node_id": list(titles), "title": list(titles.values())})


def category_title(kind: int) -> str:
    """Return the name of a leaf category: its kind and the more usual synonym, both in the plural."""
    term = KINDS[kind].term
    return f"{plural(term.name).capitalize()} and {plural(term.synonyms[0])}"


def _titles(shop: Shop, rows: Ints, rng: np.random.Generator) -> Any:
    parts = {
        "brand": pa.array(shop.brands).take(pa.array(shop.brand[rows])),
        "series": _names(SERIES, shop.series[rows]),
        "material": _names([m.name.title() for m in MATERIALS], shop.material[rows]),
        "kind": _names([k.term.name.title() for k in KINDS], shop.kind[rows]),
        "colour": _names(COLOURS, shop.colour[rows]),
        "size": _names(SIZES, shop.size[rows]),
        "use": _names([f"for {use.name}" for use in USES], shop.use[rows]),
    }
    for name, share in TITLE_SHARES.items():
        left_out = pa.array(rng.random(len(rows)) >= share)
        parts[name] = pc.if_else(left_out, pa.scalar(None, pa.string()), parts[name])
    return pc.binary_join_element_wise(*parts.values(), " ", null_handling="skip")


def _by_id(shop: Shop) -> Iterator[Ints]:
    order = np.argsort(shop.number)
    for first in range(0, shop.items, ITEMS_PER_TABLE):
        yield order[first : first + ITEMS_PER_TABLE]


def _names(names: Any, chosen: Ints) -> Any:
    return pa.array(names).take(pa.array(chosen))


def _links(sources: Any, relation: str, targets: Any) -> Any:
    return pa.table({"source": sources, "relation": pa.repeat(relation, len(sources)), "target": targets})


def _node_id(prefix: str, name: str) -> str:
    return f"{prefix}:{name.lower().replace(' ', '-')}"


def _leaf_id(kind: int) -> str:
    return _node_id("category", KINDS[kind].term.name)


def _group_id(name: str) -> str:
    return _node_id("category-group", name)


def _root_id(department: int) -> str:
    return _node_id("department", DEPARTMENTS[department].name)
