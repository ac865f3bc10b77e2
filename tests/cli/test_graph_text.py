"""The graph as text."""

from __future__ import annotations

from recsys.cli.graph_text import tree_lines
from recsys.graph.neighbourhood import Branch, Neighbour, Neighbourhood


def test_an_item_says_when_it_was_clicked():
    """Days in UTC, in ISO form; an item that no click with a time is known of says nothing."""
    times = {"row": 3, "first_seen": -1, "last_seen": 253_402_300_799_999}
    assert list(tree_lines(Neighbourhood("Item", "i0", "Shoe", 2, times, ()))) == [
        "Item i0  Shoe  2 clicks, first seen 1969-12-31, last seen 9999-12-31"
    ]


def test_strength_of_an_edge_and_texts_over_several_lines():
    """A weight has two digits, one click is no clicks, and a text stays on its line."""
    items = (Neighbour("i1", "Red\nshoe", {"weight": 0.456, "generation": 1}), Neighbour("i2", None, {"clicks": 1}))
    branches = (Branch("CO_CLICKED", "out", "Item", 1_002, items),)
    assert list(tree_lines(Neighbourhood("Item", "i0", None, 0, {}, branches))) == [
        "Item i0",
        "└─ → CO_CLICKED: 1,002 items",
        "   ├─ i1  Red shoe  0.46",
        "   ├─ i2  1 click",
        "   └─ … 1,000 more",
    ]
